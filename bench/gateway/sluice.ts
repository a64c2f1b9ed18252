import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { writeDurably } from '../../src/effects/files.ts';
import { createAdminClient } from '../../src/gateway/control/admin-client.ts';
import { gatewayFiles } from '../../src/gateway/gateway-files.ts';
import { recordedProcess } from '../../src/gateway/gateway-folder.ts';
import type { RoutingTable } from '../../src/gateway/routing-table.ts';
import { openSnapshot } from '../../src/gateway/table/snapshot.ts';
import { cores, end, listens, pause, startPinned } from './processes.ts';
import type { Proxy } from './proxies.ts';

const startMs = 60_000;
const pollMs = 20;
const entry = fileURLToPath(new URL('../../src/gateway/main.ts', import.meta.url));

/** The gateway as users get it: its processes, health checks, retries, routing and measuring, with its last table on the disk. */
export function startSluice(engine: 'embedded' | 'haproxy', workers: number | undefined): Proxy['start'] {
  return async (folder, port, upstreamPort) => {
    const settings = { internal: { host: '127.0.0.1', port: port + 1 }, ...(workers !== undefined && { workers }) };
    await writeDurably(gatewayFiles(folder).settings, JSON.stringify(settings));
    // By its last table it begins with the right engine: a change of it would be another process.
    const { snapshot } = await openSnapshot(gatewayFiles(folder).snapshot, () => Date.now());
    await snapshot.save(tableOf(engine, 1, port, upstreamPort, upstreamPort));
    const process = startPinned(cores.proxy, globalThis.process.execPath, [entry, folder]);
    for (let waited = 0; (await recordedProcess(folder)) === undefined; waited += pollMs) {
      if (waited > startMs) throw new Error('the gateway does not start');
      await pause(pollMs);
    }
    const { adminUrl } = (await recordedProcess(folder)) as { adminUrl: string };
    const admin = createAdminClient({ url: adminUrl, token: await readFile(gatewayFiles(folder).token, 'utf8') });
    let version = 1;
    const flip = async (target: number): Promise<void> => {
      version += 1;
      await admin.putTable(tableOf(engine, version, port, upstreamPort, target));
    };
    await listens(port);
    const serving = await admin.report();
    if (serving.engine !== engine) {
      await end(process);
      throw new Error(`the gateway serves by its engine ${serving.engine}: ${serving.warnings.join('; ')}`);
    }
    return { port, process, flip };
  };
}

/** Two releases with an instance each; all requests go to the one at `target`. */
function tableOf(engine: 'embedded' | 'haproxy', version: number, port: number, upstreamPort: number, target: number): RoutingTable {
  const releases = target === upstreamPort ? [target] : [upstreamPort, target];
  return {
    version,
    engine,
    listeners: [{ environment: 'bench', host: '127.0.0.1', port }],
    services: [
      {
        environment: 'bench',
        name: 'app',
        expose: [{ host: '127.0.0.1', path: '/' }],
        calls: [],
        tokenDigests: [createHash('sha256').update('bench').digest('hex')],
        health: { path: '/', intervalMs: 2_000, timeoutMs: 1_000 },
        backends: releases.map((each) => ({
          release: `r${each}`,
          weight: each === target ? 1 : 0,
          instances: [{ id: `i${each}`, host: '127.0.0.1', port: each, state: 'active' as const }],
        })),
      },
    ],
  };
}
