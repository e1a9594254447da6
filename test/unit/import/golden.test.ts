// What each imported file becomes, and what is told of it, as golden files beside it. After a
// wanted change: npx vitest run --project unit -u test/unit/import, and read the difference.
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kindOf } from '../../../src/import/import-file.js';
import { findingLines, importFixtures, importText } from '../../support/import-fixtures.js';

for (const kind of ['haproxy', 'nginx'] as const) {
  const fixtures = importFixtures(kind);

  describe(`files of ${kind}`, () => {
    it('are at least twenty', () => {
      expect(fixtures.length).toBeGreaterThanOrEqual(20);
    });

    for (const { name, path, text } of fixtures) {
      it(`${name} becomes its golden file, with its golden findings`, async () => {
        const result = importText(text, kind, name);
        const base = path.replace(/\.\w+$/, '');
        expect(existsSync(`${base}.yaml`) && existsSync(`${base}.findings`)).toBe(true);
        const yaml = result.yaml ?? '# nothing could be carried over\n';
        await expect(yaml).toMatchFileSnapshot(`${base}.yaml`);
        await expect(findingLines(result)).toMatchFileSnapshot(`${base}.findings`);
      });

      it(`${name} is known as one of ${kind}`, () => {
        expect(kindOf(text)).toBe(kind);
      });
    }
  });
}
