// An agent to be run as an instance: MODE says how it behaves.
import { createServer } from 'node:http';

const { HOST, PORT, MODE = 'serve', SECRET } = process.env;

if (MODE === 'broken') {
  console.log(`cannot work with the key ${SECRET}`);
  process.exit(7);
}
const server = createServer((request, answer) => {
  const ready = MODE !== 'never-ready';
  answer.writeHead(request.url === '/healthz' && !ready ? 503 : 200, { 'content-type': 'application/json' });
  answer.end(JSON.stringify(process.env));
});
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
server.listen(Number(PORT), HOST);
