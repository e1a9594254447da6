// A target that answers one request after the other, each after its service time, as a database
// with one thread does. Every line is a request; the answer is one line.
//   node serial_target.mjs PORT ADDRESS=SERVICE_MS...
import { createServer } from 'node:net';

const [port, ...services] = process.argv.slice(2);
let answered = 0;

for (const service of services) {
  const [address, ms] = service.split('=');
  const serviceMs = Number(ms);
  /** @type {import('node:net').Socket[]} */
  const queue = [];
  let serving = false;

  const serveNext = () => {
    const socket = queue.shift();
    serving = socket !== undefined;
    if (socket === undefined) return;
    const answer = () => {
      answered++;
      if (!socket.destroyed) socket.write('+done\r\n');
      serveNext();
    };
    if (serviceMs === 0) answer();
    else setTimeout(answer, serviceMs);
  };

  createServer((socket) => {
    socket.setNoDelay(true).setEncoding('utf8');
    // A client that has gone is no longer waiting.
    socket.on('error', () => socket.destroy());
    socket.on('data', (text) => {
      for (const character of String(text)) if (character === '\n') queue.push(socket);
      if (!serving) serveNext();
    });
  }).listen(Number(port), address);
}

process.on('SIGTERM', () => {
  process.stdout.write(`${JSON.stringify({ answered })}\n`, () => process.exit(0));
});
