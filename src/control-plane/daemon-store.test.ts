import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../api/client.ts';
import { systemClock } from '../effects/clock.ts';
import { identify, isAlive } from '../effects/processes.ts';
import { until } from '../testing/conditions.ts';
import { type PostgresServer, startPostgres } from '../testing/postgres-server.ts';
import { startControlPlane } from './discovery.ts';
import { restoreHome } from './home-store.ts';

describe('a control plane whose state is in PostgreSQL', () => {
  let server: PostgresServer;
  let root: string;
  let home: string;
  beforeAll(async () => {
    server = await startPostgres();
    root = await mkdtemp(join(tmpdir(), 'sluice-daemon-store-'));
    home = join(root, 'home');
  });
  afterAll(async () => {
    await server.remove();
    await rm(root, { recursive: true, force: true });
  });

  it('keeps it there over restarts, backs it up, and shows its password to nobody', async () => {
    const store = await server.emptyDatabase();
    const first = await startControlPlane({ home, root, store });
    const client = createClient(first);
    const { details } = await client.createKey({ name: 'kept', role: 'viewer' });
    const backup = await client.createBackup();
    expect(backup.file).toBe(join(home, 'backups', backup.file.slice(-'state-2-20261122T010203004Z.db'.length)));
    expect((await stat(backup.file)).size).toBe(backup.bytes);
    expect(await readdir(home)).not.toContain('state.db');
    await expect(restoreHome({ home, file: backup.file, wanted: undefined, clock: systemClock })).rejects.toMatchObject({
      code: 'home_in_use',
    });

    const secrets = [server.password, encodeURIComponent(server.password)];
    const { gateway } = await until('the gateway to run', async () => {
      const status = await client.status();
      return status.gateway.pid !== undefined && status;
    });
    const shown = execFileSync('ps', ['-eww', '-o', 'args='], { encoding: 'utf8' });
    const logs = readdirSync(join(home, 'logs')).map((name) => readFileSync(join(home, 'logs', name), 'utf8'));
    const ofGateway = process.platform === 'linux' ? readFileSync(`/proc/${gateway.pid}/environ`, 'utf8') : '';
    for (const secret of secrets)
      for (const text of [shown, ofGateway, ...logs, JSON.stringify(await client.status())]) expect(text).not.toContain(secret);

    await stop(first);
    const second = await startControlPlane({ home, root });
    expect((await createClient(second).listKeys()).map(({ id }) => id)).toContain(details.id);
    await stop(second);
    await restoreHome({ home, file: backup.file, wanted: undefined, clock: systemClock });
    await restoreHome({ home, file: backup.file, wanted: 'sqlite', clock: systemClock });
    const third = await startControlPlane({ home, root });
    expect((await createClient(third).listKeys()).map(({ id }) => id)).toContain(details.id);
    await stop(third);
  });
});

async function stop(found: { url: string; key: string; pid: number }): Promise<void> {
  const identity = identify(found.pid);
  await createClient(found).shutdown({ workloads: 'stop' });
  await until('the control plane has ended', () => identity === undefined || !isAlive(identity));
}
