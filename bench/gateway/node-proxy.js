// node node-proxy.js PEER PORT UPSTREAM_PORT: one Node proxy as its README starts it, with connections to the upstream kept alive.
import { Agent, createServer } from 'node:http';

const [peer, port, upstreamPort] = process.argv.slice(2);
const target = `http://127.0.0.1:${upstreamPort}`;
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
const listen = { host: '127.0.0.1', port: Number(port), backlog: 8_192 };

if (peer === 'http-proxy') {
  const { default: library } = await import('http-proxy');
  const proxy = library.createProxyServer({ target, agent, xfwd: true });
  proxy.on('error', (_error, _request, answer) => answer.destroy());
  createServer((request, answer) => proxy.web(request, answer)).listen(listen);
} else if (peer === 'httpxy') {
  const { createProxyServer } = await import('httpxy');
  const proxy = createProxyServer({ target, agent, xfwd: true });
  createServer((request, answer) => {
    proxy.web(request, answer).catch(() => answer.destroy());
  }).listen(listen);
} else if (peer === 'fast-proxy') {
  const { default: library } = await import('fast-proxy');
  const made = library({ base: target, undici: { connections: 1_024, pipelining: 1 } });
  createServer((request, answer) => made.proxy(request, answer, request.url, {})).listen(listen);
} else {
  const { default: fastify } = await import('fastify');
  const { default: library } = await import('@fastify/http-proxy');
  const app = fastify();
  app.register(library, { upstream: target, undici: { connections: 1_024, pipelining: 1 } });
  await app.listen(listen);
}
