// `npm run bench:micro`: nanoseconds of the data plane's parts, by Google Benchmark.
//   npm run bench:micro -- --benchmark_filter=pick       arguments go to the program
import { existsSync } from 'node:fs';
import { run } from '../scripts/process.mjs';
import { runMain, Stop } from '../scripts/stop.mjs';
import { buildPrograms, microProgram } from './build.mjs';

await runMain(async () => {
  if (!existsSync('/usr/include/benchmark/benchmark.h')) {
    throw new Stop(
      'The micro-benchmarks need Google Benchmark: sudo apt-get install -y libbenchmark-dev',
    );
  }
  await buildPrograms({ micro: true });
  const { code } = await run(microProgram, process.argv.slice(2), { show: true });
  return code;
});
