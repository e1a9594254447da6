// Starts an engine by the bare addon, in a process or a worker thread of its own, and then leaves
// in the way that it is told: `return` (nothing more to do), `exit`, `stop` (and wait),
// `stop-and-exit` (exit while stopping), `stay`.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';

const require = createRequire(import.meta.url);
const addon = process.env.SLUICE_ADDON
  ? require(process.env.SLUICE_ADDON)
  : require('node-gyp-build')(fileURLToPath(new URL('../..', import.meta.url)));
const how = isMainThread ? process.argv[2] : workerData;

const engine = addon.start(
  { workers: 2, connectionsMax: 16, splice: true, udpGso: true, udpGro: true },
  () => undefined,
);
parentPort?.postMessage('started');
switch (how) {
  case 'exit':
    process.exit(0);
    break;
  case 'stop':
    await engine.stop();
    await engine.stop();
    break;
  case 'stop-and-exit':
    engine.stop();
    process.exit(0);
    break;
  case 'stay':
    setInterval(() => undefined, 1000);
    break;
}
