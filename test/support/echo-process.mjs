// An echo target as a process of its own, for tests that stop, kill or move it into a namespace:
//   node echo-process.mjs HOST PORT NAME
// Each connection is greeted with NAME and a line feed, then echoed. Prints `listening PORT`.
import { createServer } from 'node:net';

const [host, port, name] = process.argv.slice(2);
const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.write(`${name}\n`);
  socket.pipe(socket);
});
server.listen({ host, port: Number(port), backlog: 4096 }, () => {
  const address = server.address();
  process.stdout.write(`listening ${typeof address === 'object' ? address?.port : ''}\n`);
});
