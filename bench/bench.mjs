// `npm run bench`: measures sluice beside its peers, the floor relay and no balancer at all.
//   npm run bench -- --only bulk,udp --rounds 5 --peers haproxy
import { execFileSync } from 'node:child_process';
import { cpus, hostname, release, totalmem } from 'node:os';
import { inRoot } from '../scripts/paths.mjs';
import { setUp } from '../scripts/set-up.mjs';
import { runMain, Stop } from '../scripts/stop.mjs';
import { buildPrograms } from './build.mjs';
import { Cleanup } from './cleanup.mjs';
import { allContenders } from './contenders/all-contenders.mjs';
import { measureAll } from './measure-all.mjs';
import { parseOptions } from './options.mjs';
import { Programs } from './programs.mjs';
import { document } from './report/document.mjs';
import { updateReadmes, writeResults } from './report/files.mjs';
import { allRows, quickRows } from './rows/all-rows.mjs';
import { missingPackages } from './tools.mjs';
import { loopback } from './topology/loopback.mjs';
import { namespaces } from './topology/namespaces.mjs';

/** @typedef {import('./options.mjs').Options} Options */

const balancerCore = 0;
const clientCore = Math.min(1, cpus().length - 1);

/** @param {string} text */
const say = (text) => process.stderr.write(`${text}\n`);

/**
 * Those of the chosen whose tools are here; says which Debian packages the others lack.
 * @template {{ name: string, tools: readonly string[] }} T
 * @param {readonly T[]} all @param {readonly string[]} chosen
 */
function present(all, chosen) {
  const wanted = all.filter(({ name }) => chosen.includes(name));
  const here = wanted.filter(({ tools }) => missingPackages(tools).length === 0);
  const absent = wanted.filter((each) => !here.includes(each));
  const packages = missingPackages(absent.flatMap(({ tools }) => tools));
  if (packages.length > 0) {
    say(`not measured: ${absent.map(({ name }) => name).join(', ')}`);
    say(`  sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`);
  }
  return here;
}

/** @param {Options['topology']} wanted @param {Cleanup} cleanup */
function makeTopology(wanted, cleanup) {
  const isRoot = process.getuid?.() === 0;
  if (wanted === 'loopback') return loopback();
  if (wanted === 'auto' && !isRoot) {
    say('not root: everything on loopback, which flatters copies and hides the network');
    return loopback();
  }
  if (!isRoot) throw new Stop('Network namespaces need root: sudo npm run bench');
  try {
    return namespaces(cleanup);
  } catch (error) {
    if (wanted === 'namespaces') throw error;
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    say(`no network namespaces (${reason}): everything on loopback`);
    return loopback();
  }
}

function describeMachine() {
  return {
    host: hostname(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
  };
}

/** Ctrl-C ends the run; whatever it made is removed first. @param {Cleanup} cleanup */
function endOnSignals(cleanup) {
  let isInterrupted = false;
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      if (isInterrupted) return;
      isInterrupted = true;
      say(`${signal}: removing what the bench made`);
      cleanup.close().then(
        () => process.exit(130),
        (error) => {
          say(String(error));
          process.exit(1);
        },
      );
    });
  }
  return () => isInterrupted;
}

/** @param {Options} options */
async function bench(options) {
  if (missingPackages(['taskset']).length > 0) throw new Stop('The bench needs util-linux.');
  await setUp();
  await buildPrograms();
  const contenders = present(allContenders, options.contenders);
  const rows = present(allRows, options.rows);
  const cleanup = new Cleanup();
  const interrupted = endOnSignals(cleanup);
  const machine = describeMachine();
  try {
    const topology = makeTopology(options.topology, cleanup);
    // The balancer's core is for the balancer alone.
    const pin = ['-a', '-c', '-p', String(clientCore), String(process.pid)];
    execFileSync('taskset', pin, { stdio: 'ignore' });
    const cores = {
      client: String(clientCore),
      balancer: String(balancerCore),
      target: String(clientCore),
    };
    const programs = new Programs(topology, cores, cleanup);
    const { seconds, rounds } = options;
    const environment = { topology, programs, cleanup, balancerCore, clientCore, seconds };
    const date = new Date().toISOString();
    const measured = await measureAll({ environment, rows, contenders, rounds, say }, interrupted);
    const versions = contenders.map(({ name, version }) => [name, version()]);
    /** @type {import('./report/document.mjs').Results} */
    const results = {
      date,
      machine,
      versions: Object.fromEntries(versions.filter(([, version]) => version !== '')),
      topology: topology.name,
      seconds,
      rounds,
      contenders: contenders.map(({ name, kind }) => ({ name, kind })),
      rows: measured,
    };
    return results;
  } finally {
    if (!interrupted()) await cleanup.close();
  }
}

await runMain(async () => {
  const choices = { rows: allRows, quickRows, contenders: allContenders };
  const options = parseOptions(process.argv.slice(2), choices);
  if (options === null) return 0;
  const results = await bench(options);
  process.stdout.write(`\n${document(results)}\n`);
  if (!options.quick) {
    say(`written: ${await writeResults(results, inRoot('bench', 'results'))}`);
  }
  if (options.readme) await updateReadmes(inRoot('bench'), inRoot('README.md'), results);
  const broken = results.rows.reduce((sum, row) => sum + row.broken.length, 0);
  if (broken > 0) say(`${broken} broken measurements`);
  return broken === 0 ? 0 : 1;
});
