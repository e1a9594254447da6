// Writes schema/sluice.schema.json from the zod schema of the configuration, as compiled to dist/.
// test/unit/config/json-schema.test.ts fails while the file is stale.
import { writeFileSync } from 'node:fs';
import { publishedJsonSchema } from '../dist/config/json-schema.js';

const target = new URL('../schema/sluice.schema.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(publishedJsonSchema(), null, 2)}\n`);
