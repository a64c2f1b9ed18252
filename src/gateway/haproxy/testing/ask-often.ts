import { Agent, createServer, get } from 'node:http';
import { argv } from 'node:process';

// An instance and its clients in a process of their own, for tests that have the gateway's process stand still: argv is the gateway's port, that
// of the instance, and how many requests are to be answered with 200.
const [, , port, instance, count] = argv.map(Number) as [number, number, number, number, number];
const server = createServer((_req, res) => void res.end('ok')).listen(instance, '127.0.0.1');
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const one = (): Promise<void> =>
  new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent, headers: { host: 'app.test' } }, (res) => {
      if (res.statusCode !== 200) reject(new Error(String(res.statusCode)));
      res.resume().on('end', resolve);
    }).on('error', reject);
  });
await Promise.all(Array.from({ length: count }, one));
agent.destroy();
server.close();
server.closeAllConnections();
