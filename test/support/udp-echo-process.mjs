// A UDP echo target as a process of its own: node udp-echo-process.mjs HOST PORT
// Prints `listening PORT`.
import { createSocket } from 'node:dgram';

const [host, port] = process.argv.slice(2);
const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
socket.on('message', (message, from) => socket.send(message, from.port, from.address));
// ICMP errors of clients that are gone.
socket.on('error', () => undefined);
socket.bind(Number(port), host, () => {
  process.stdout.write(`listening ${socket.address().port}\n`);
});
