// A process of its own: an echo target on a unix socket and a client that goes through a listener
// to it, for tests that block the event loop of the engine's process meanwhile.
//   node echo-flow.mjs <socket path> <listener port> <duration ms>
// Prints {roundTrips, longestGapMs} as JSON.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const [path, port, durationMs] = process.argv.slice(2);
const server = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});
server.listen(path);
await once(server, 'listening');

const client = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
await once(client, 'connect');
let roundTrips = 0;
let longestGapMs = 0;
let last = performance.now();
const end = last + Number(durationMs);
while (last < end) {
  client.write('ping');
  await once(client, 'data');
  const now = performance.now();
  longestGapMs = Math.max(longestGapMs, now - last);
  last = now;
  roundTrips++;
}
client.destroy();
server.close();
process.stdout.write(JSON.stringify({ roundTrips, longestGapMs }));
