// What a newcomer is told when something is missing: one sentence that names the Debian package.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { nodeIsTooOld, requireCompiler } from '../../../scripts/prerequisites.mjs';
import { findProgram } from '../../../scripts/process.mjs';
import { requireTools } from '../../../scripts/tools.mjs';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('prerequisites', () => {
  it.each([
    ['18.20.4', true],
    ['20.18.9', true],
    ['20.19.0', false],
    ['22.0.0', false],
    ['100.0.0', false],
  ])('Node %s is too old: %s', (version, tooOld) => {
    expect(nodeIsTooOld(version)).toBe(tooOld);
  });

  it('names the packages of a missing compiler', () => {
    vi.stubEnv('PATH', '/nowhere');
    expect(requireCompiler).toThrow(
      /^sluice needs g\+\+, make, python3 .*apt-get install -y g\+\+/,
    );
  });

  it('finds programs in PATH only where they can be run', () => {
    expect(findProgram('sh')).toMatch(/\/sh$/);
    expect(findProgram('no-such-program')).toBeNull();
  });

  it('ends a script with the sentence alone and exit code 1', () => {
    const stop = fileURLToPath(new URL('../../../scripts/stop.mjs', import.meta.url));
    const program = `import { runMain, Stop } from ${JSON.stringify(stop)};
      await runMain(async () => { throw new Stop('Install it.', 'what the tool said'); });`;
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'what the tool said\n\nInstall it.\n',
    });
  });
});

describe('a test that needs a tool', () => {
  it('runs where the tool is installed', () => {
    expect(requireTools([])).toBe(true);
  });

  it('is skipped with a notice that names the package', () => {
    vi.stubEnv('PATH', '/nowhere');
    vi.stubEnv('SLUICE_REQUIRE_TOOLS', '');
    const notice = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(requireTools(['redis-cli', 'redis-benchmark'])).toBe(false);
    expect(notice).toHaveBeenCalledExactlyOnceWith(
      expect.stringMatching(/sudo apt-get install -y redis-tools\n$/),
    );
  });

  it('fails instead under SLUICE_REQUIRE_TOOLS=1', () => {
    vi.stubEnv('PATH', '/nowhere');
    vi.stubEnv('SLUICE_REQUIRE_TOOLS', '1');
    expect(() => requireTools(['iperf3'])).toThrow('apt-get install -y iperf3');
  });
});
