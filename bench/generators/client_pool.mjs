// A client pool: many connections, of which few are busy. A busy one asks, waits for its answer,
// thinks, and after some requests is replaced by a new one (a pool's max lifetime); the idle ones
// only stand there.
//   node client_pool.mjs '{"connect":"A:P","idle":180,"busy":20,"think_ms":20,"lifetime":20,
//     "duration_ms":2000,"request":"ping\r\n"}'
// Prints p50, p99 and the worst response time in microseconds, over all requests but those of the
// first quarter, in which the connections that came with the pool are replaced.
import { once } from 'node:events';
import { connect } from 'node:net';

/** @type {{ connect: string, idle: number, busy: number, think_ms: number, lifetime: number,
 *   duration_ms: number, request: string }} */
const options = JSON.parse(process.argv[2] ?? '{}');
const [host = '', port = ''] = options.connect.split(':');

const open = async () => {
  const socket = connect({ host, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  return socket;
};
const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @type {import('node:net').Socket[]} */
const idle = [];
for (let i = 0; i < options.idle; i++) idle.push(await open());

const beganMs = performance.now();
const endMs = beganMs + options.duration_ms;
/** @type {number[]} */
const tookUs = [];
let requests = 0;

async function keepBusy() {
  // Not in step with the others.
  await pause(Math.random() * options.think_ms);
  while (performance.now() < endMs) {
    const socket = await open();
    const uses = 1 + Math.floor(Math.random() * options.lifetime);
    for (let use = 0; use < uses && performance.now() < endMs; use++) {
      const askedMs = performance.now();
      socket.write(options.request);
      await once(socket, 'data');
      requests++;
      const nowMs = performance.now();
      if (nowMs - beganMs > options.duration_ms / 4) tookUs.push((nowMs - askedMs) * 1000);
      await pause(options.think_ms * (0.5 + Math.random()));
    }
    socket.destroy();
  }
}

await Promise.all(Array.from({ length: options.busy }, keepBusy));
for (const socket of idle) socket.destroy();
tookUs.sort((a, b) => a - b);
const quantile = (/** @type {number} */ share) =>
  Math.round(tookUs[Math.min(tookUs.length - 1, Math.floor(share * tookUs.length))] ?? 0);
const figures = { requests, p50_us: quantile(0.5), p99_us: quantile(0.99), max_us: quantile(1) };
process.stdout.write(`${JSON.stringify(figures)}\n`);
