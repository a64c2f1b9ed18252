import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { testPort } from '../../../testing/test-port.ts';
import { until } from '../../../testing/conditions.ts';

/** A real nginx that passes everything to one instance, keeping what it can of a request. */
export async function startNginx(program: string, upstreamPort: number): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-nginx-'));
  const port = await testPort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; user ${userInfo().username}; pid ${folder}/pid; error_log /dev/null crit;
events { worker_connections 256; }
http {
  access_log off; ${temporary} underscores_in_headers on; merge_slashes off; client_max_body_size 0; large_client_header_buffers 8 32k;
  upstream instance { server 127.0.0.1:${upstreamPort}; keepalive 8; }
  server {
    listen 127.0.0.1:${port}; server_name app.test;
    location / {
      proxy_pass http://instance; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_request_buffering off; proxy_buffering off; proxy_pass_header Server; proxy_pass_header Date; proxy_next_upstream off;
    }
  }
}
`,
  );
  const child = spawn(program, ['-c', join(folder, 'nginx.conf'), '-p', folder], { stdio: 'ignore' });
  await until('nginx to listen', () => isOpen(port));
  return {
    port,
    stop: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
