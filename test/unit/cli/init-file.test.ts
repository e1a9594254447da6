// The file of init: right for every service and every way to check it.
import { describe, expect, it } from 'vitest';
import { defaultAnswers, initFile } from '../../../src/cli/init-file.js';
import { serviceNames, services } from '../../../src/cli/init-services.js';
import { loadConfig } from '../../../src/config/load.js';

describe('the file of init', () => {
  for (const service of serviceNames) {
    for (const health of Object.keys(services[service].checks)) {
      it(`is valid, without a warning, for ${service} checked by ${health}`, () => {
        const text = initFile({ ...defaultAnswers(service), health }, './schema.json');
        const loaded = loadConfig(Buffer.from(text), 'new.yaml');
        expect(loaded).toMatchObject({ ok: true, warnings: [] });
        if (!loaded.ok) return;
        expect(loaded.config.listeners[0]?.protocol).toBe(services[service].protocol);
        expect(loaded.config.pools[0]?.targets).toHaveLength(2);
      });
    }
  }
});
