// The bench's own targets, which echo and count: TCP for small messages, UDP for datagrams.
import { program } from '../build.mjs';
import { portOf } from '../contenders/contender.mjs';
import { parseFigures } from '../run.mjs';

/**
 * @param {import('../run.mjs').Run} run
 * @param {{ protocol: 'tcp' | 'udp', gso?: boolean, manyAddresses?: boolean }} options
 */
export async function startEchoTarget(run, { protocol, gso = false, manyAddresses = false }) {
  const { manyTargetsDevice } = run.topology;
  const one = await run.targetListen();
  const listen = manyAddresses ? `0.0.0.0:${portOf(one)}` : one;
  const options = [
    ...['--listen', listen, ...(gso ? ['--gso', '1'] : [])],
    ...(manyAddresses && manyTargetsDevice !== null ? ['--device', manyTargetsDevice] : []),
  ];
  const target = run.programs.start('target', [program(`${protocol}_target`), ...options]);
  await target.bound(protocol, portOf(listen));
  return {
    port: portOf(listen),
    /** Ends it and tells what it counted. */
    counted: async () => parseFigures(await target.stop()),
  };
}
