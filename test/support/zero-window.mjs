// A target that sends without end and a crowd of clients that never read, as a process of its own:
//   node zero-window.mjs
// Prints `target PORT`. A line `PORT COUNT` on standard input connects so many clients there.
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

const piece = Buffer.alloc(64 * 1024, 'endless');
const server = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  // Until the kernel takes no more; again whenever it has taken a piece.
  const send = () => socket.write(piece, (error) => error || send());
  send();
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  const address = server.address();
  process.stdout.write(`target ${typeof address === 'object' ? address?.port : ''}\n`);
});

/** @type {Set<import('node:net').Socket>} */
const clients = new Set();

/** @param {number} port @param {number} left */
function connectNext(port, left) {
  if (left === 0) return;
  const socket = connect({ host: '127.0.0.1', port });
  socket.pause();
  clients.add(socket);
  socket.on('error', () => socket.destroy());
  // One after the other: the target accepts one per turn of its loop.
  socket.once('connect', () => connectNext(port, left - 1));
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [port = 0, count = 0] = line.split(' ').map(Number);
  for (let lane = 0; lane < 8; lane++) connectNext(port, count / 8);
});
