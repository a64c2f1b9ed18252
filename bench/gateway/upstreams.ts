import type { ChildProcess } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../src/testing/requires.ts';
import { cores, listens, startPinned } from './processes.ts';

/** Two releases of the same answers (of the letter a or b), and one that streams. */
export interface Upstreams {
  readonly a: number;
  readonly b: number;
  readonly stream: number;
  /** As a and b, and they know when they were last sent a request. */
  readonly watched: readonly [number, number];
  readonly program: string;
  readonly processes: readonly ChildProcess[];
}

/** The leanest there is: nginx with a fixed body, else (and where they are watched) plain sockets of Node. The same for all proxies of a run. */
export async function startUpstreams(folder: string, firstPort: number): Promise<Upstreams> {
  const script = fileURLToPath(new URL('upstream.ts', import.meta.url));
  const [a, b, stream, unused] = [firstPort, firstPort + 1, firstPort + 2, firstPort + 3];
  const watched = [firstPort + 4, firstPort + 5] as const;
  const processes = [[stream, unused], watched].map((ports) => startPinned(cores.load, process.execPath, [script, ...ports.map(String)]));
  const nginx = findProgram('nginx');
  if (nginx !== undefined) {
    const file = join(folder, 'upstream.conf');
    await writeFile(file, configuration(folder, a, b));
    for (const letter of ['a', 'b']) {
      await mkdir(join(folder, letter), { recursive: true });
      await writeFile(join(folder, letter, 'large'), letter.repeat(16_384));
    }
    processes.push(startPinned(cores.load, nginx, ['-c', file, '-p', folder]));
  } else processes.push(startPinned(cores.load, process.execPath, [script, String(a), String(b)]));
  await Promise.all([a, b, stream, ...watched].map((port) => listens(port)));
  return { a, b, stream, watched, program: nginx === undefined ? 'plain sockets of Node' : 'nginx with a fixed body', processes };
}

function configuration(folder: string, a: number, b: number): string {
  const server = (letter: string, port: number): string => `server {
    listen 127.0.0.1:${port} backlog=8192;
    default_type text/plain;
    root ${folder}/${letter};
    location = /large { }
    location / { return 200 "${letter.repeat(200)}"; }
  }`;
  return `daemon off; worker_processes 1; user root; pid ${folder}/upstream.pid; error_log /dev/null crit;
events { worker_connections 40000; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s; tcp_nodelay on; open_file_cache max=10; etag off;
  ${temporary(folder)}
  ${server('a', a)}
  ${server('b', b)}
}
`;
}

/** Folders nginx makes at its start, kept out of those of the system. */
export function temporary(folder: string): string {
  const names = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return names.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
}
