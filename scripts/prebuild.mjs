// Puts the addon into prebuilds/, where node-gyp-build finds it in an installed package, so that
// installing needs no compiler and no install script. The binary uses Node-API: one for every Node.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { buildAddon, nativeHash } from './build-native.mjs';
import { markFresh } from './freshness.mjs';
import { addonFile, prebuildFile } from './paths.mjs';
import { findProgram, run } from './process.mjs';
import { step } from './progress.mjs';
import { setUp } from './set-up.mjs';
import { runMain, Stop } from './stop.mjs';

await runMain(async () => {
  await setUp();
  if (!existsSync(addonFile)) await step('addon', buildAddon);
  mkdirSync(dirname(prebuildFile), { recursive: true });
  copyFileSync(addonFile, prebuildFile);
  if (findProgram('strip') !== null) {
    const { code, output } = await run('strip', ['--strip-unneeded', prebuildFile]);
    if (code !== 0) throw new Stop('strip failed: see above.', output);
  }
  markFresh('prebuild', nativeHash());
  return 0;
});
