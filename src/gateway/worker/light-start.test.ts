import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { WorkerParameters } from './messages.ts';

const worker = fileURLToPath(new URL('main.ts', import.meta.url));
/** Says at the end what was loaded. */
const listing = `import { registerHooks } from 'node:module';
const loaded = [];
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
process.on('exit', () => process.stdout.write(JSON.stringify([...loaded, ...process.moduleLoadList])));`;

test('a worker loads no schemas, no logger, no TLS, no HTTP/2 and no fetch before it has a use for them: it is waited for', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-worker-'));
  try {
    const parameters: WorkerParameters = { folder, mainPid: process.pid, observing: {}, elders: [] };
    const preload = `data:text/javascript,${encodeURIComponent(listing)}`;
    // Without a channel to a main process it ends at once.
    const output = execFileSync(process.execPath, ['--import', preload, worker, JSON.stringify(parameters)], { encoding: 'utf8' });
    const loaded = JSON.parse(output) as readonly string[];
    expect(loaded.some((name) => name.endsWith('/worker/serving.ts'))).toBe(true);
    const heavy = /\/node_modules\/(zod|pino|acme-client)\/|\/http2\/|NativeModule (_tls_wrap|http2|internal\/deps\/undici)/;
    expect(loaded.filter((name) => heavy.test(name))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
