// A process of its own that opens connections and waits for each to end.
//   node connection-churn.mjs <port> <connections>
import { connect } from 'node:net';

const [port, connections] = process.argv.slice(2).map(Number);

async function openAndEnd() {
  const socket = connect({ port: port ?? 0, host: '127.0.0.1' });
  // A reset is an end too.
  socket.on('error', () => undefined);
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
}

let left = connections ?? 0;
await Promise.all(
  Array.from({ length: 50 }, async () => {
    while (left > 0) {
      left--;
      await openAndEnd();
    }
  }),
);
