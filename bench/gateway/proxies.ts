import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../src/testing/requires.ts';
import { cores, listens, openFiles, startPinned } from './processes.ts';
import { startSluice } from './sluice.ts';
import { temporary } from './upstreams.ts';

/** A proxy that runs, with one upstream behind it. */
export interface RunningProxy {
  readonly port: number;
  readonly process: ChildProcess;
  /** Sends all requests to another upstream; resolves once the proxy says so. Only Sluice. */
  readonly flip?: (upstreamPort: number) => Promise<void>;
}

export interface Proxy {
  readonly name: string;
  start(folder: string, port: number, upstreamPort: number): Promise<RunningProxy>;
}

type Start = Proxy['start'];

function program(
  command: string,
  configurationOf: (folder: string, port: number, upstreamPort: number) => string,
  parameters: (file: string, folder: string) => readonly string[],
): Start {
  return async (folder, port, upstreamPort) => {
    const file = join(folder, 'proxy.conf');
    await writeFile(file, configurationOf(folder, port, upstreamPort));
    const process = startPinned(cores.proxy, command, parameters(file, folder));
    await listens(port);
    return { port, process };
  };
}

const nginx = program(
  'nginx',
  (folder, port, upstream) => `daemon off; worker_processes 1; user root; pid ${folder}/proxy.pid; error_log /dev/null crit;
events { worker_connections 40000; }
http {
  access_log off; keepalive_requests 1000000000; ${temporary(folder)}
  upstream up { server 127.0.0.1:${upstream}; keepalive 1024; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port} backlog=8192; location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $remote_addr; } }
}
`,
  (file, folder) => ['-c', file, '-p', folder],
);

/** HAProxy with nothing asked of it but to proxy. */
export const bareHaproxy = (_folder: string, port: number, upstream: number): string => `global
  maxconn ${Math.floor((openFiles() - 200) / 2)}
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend f
  bind 127.0.0.1:${port} backlog 8192
  default_backend b
backend b
  server s 127.0.0.1:${upstream} pool-max-conn 2000
`;

const haproxy = program('haproxy', bareHaproxy, (file) => ['-db', '-f', file]);

const caddy = program(
  'caddy',
  (_folder, port, upstream) => `{
  admin off
  auto_https off
}
http://127.0.0.1:${port}, http://:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${upstream} {
    flush_interval -1
    transport http {
      keepalive_idle_conns_per_host 1024
    }
  }
}
`,
  (file) => ['run', '--adapter', 'caddyfile', '--config', file],
);

function nodeProxy(peer: string): Start {
  return async (_folder, port, upstreamPort) => {
    const script = fileURLToPath(new URL('node-proxy.js', import.meta.url));
    const process = startPinned(cores.proxy, globalThis.process.execPath, [script, peer, String(port), String(upstreamPort)]);
    await listens(port);
    return { port, process };
  };
}

const nodePeers = ['http-proxy', 'httpxy', '@fastify/http-proxy', 'fast-proxy'];
const programs: Readonly<Record<string, Start>> = { nginx, haproxy, caddy };
export const allPeers = [...Object.keys(programs), ...nodePeers];

/** Sluice in its ways, and the peers asked for that can run here; a note for each that cannot. */
export function proxiesOf(
  engines: readonly string[],
  peers: readonly string[],
): { readonly proxies: readonly Proxy[]; readonly notes: readonly string[] } {
  const proxies: Proxy[] = [];
  const notes: string[] = [];
  for (const engine of engines) {
    if (engine === 'embedded') proxies.push({ name: 'sluice', start: startSluice('embedded', 1) });
    else if (engine === 'workers') proxies.push({ name: 'sluice, workers as by default', start: startSluice('embedded', undefined) });
    else if (engine === 'haproxy' && findProgram('haproxy') !== undefined)
      proxies.push({ name: 'sluice, engine haproxy', start: startSluice('haproxy', 1) });
    else notes.push(`sluice with engine '${engine}' is left out: it cannot run here`);
  }
  for (const peer of peers) {
    const start = programs[peer];
    if (start !== undefined) {
      if (findProgram(peer) === undefined) notes.push(`${peer} is left out: it is not on PATH`);
      else proxies.push({ name: peer, start });
    } else if (!nodePeers.includes(peer)) notes.push(`${peer} is left out: it is not known here`);
    else if (!existsSync(fileURLToPath(new URL(`../node_modules/${peer}/package.json`, import.meta.url)))) {
      notes.push(`${peer} is left out: it is not installed (npm install --prefix bench --ignore-scripts)`);
    } else proxies.push({ name: peer, start: nodeProxy(peer) });
  }
  return { proxies, notes };
}

/** A folder of its own for one start. */
export async function startIn(folder: string, proxy: Proxy, port: number, upstreamPort: number): Promise<RunningProxy> {
  const place = join(folder, `${proxy.name.replaceAll(/\W+/g, '-')}-${port}-${Math.round(performance.now())}`);
  await mkdir(place, { recursive: true });
  return proxy.start(place, port, upstreamPort);
}
