import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../../effects/clock.ts';
import { testPort } from '../../../testing/test-port.ts';
import { seededRandom, systemRandom } from '../../../effects/random.ts';
import { createGateway, type Gateway } from '../../gateway.ts';
import { defaultLimits } from '../../http/limits.ts';
import { silentLog } from '../../log.ts';
import type { ListenerRoute } from '../../routing-table.ts';
import { createSnapshot } from '../../table/snapshot.ts';
import { backend, listening, routeOf } from '../../testing/rig.ts';
import { soloCrew } from '../../worker/crew.ts';
import { createMeasuring } from '../../measuring/measuring.ts';
import { createEmbeddedPlane } from '../../worker/embedded-plane.ts';
import { createServing } from '../../worker/serving.ts';
import { createTlsUpkeep } from '../upkeep.ts';
import { createTestAuthority, type TestAuthority } from './authority.ts';

/** A gateway in this process with an encrypted listener, an instance behind it, and a folder of its own. */
export interface TlsRig {
  readonly gateway: Gateway;
  readonly folder: string;
  readonly authority: TestAuthority;
  readonly plainPort: number;
  readonly port: number;
  /** Puts in force what the listener is to be like, with `app.test`, `a.test` and `b.test` exposed. */
  route(tls: Omit<NonNullable<ListenerRoute['tls']>, 'port'>, redirectToTls?: boolean): Promise<void>;
  close(): Promise<void>;
}

export async function createTlsRig(
  instance: RequestListener,
  prepare: (server: Server) => void = () => {},
  clock: Clock = systemClock,
): Promise<TlsRig> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-tls-rig-'));
  const authority = await createTestAuthority(join(folder, 'authority'));
  const log = silentLog;
  const serving = createServing({
    folder,
    clock: systemClock,
    random: seededRandom(1),
    identifiers: seededRandom(2),
    log,
    limits: defaultLimits,
    onEjected: (key) => gateway.ejected(key),
  });
  const upkeep = createTlsUpkeep({ folder, clock, random: systemRandom, log, patience: { pollMs: 250, limitMs: 6_000 } });
  const snapshot = createSnapshot(join(folder, 'table.json'), () => systemClock.now());
  const plane = createEmbeddedPlane({ crew: soloCrew(serving), clock: systemClock });
  const measuring = createMeasuring({ clock, random: seededRandom(4), collect: async () => [['only', serving.takeCounts()]] });
  const gateway: Gateway = createGateway({ measuring, plane, snapshot, clock: systemClock, random: seededRandom(3), log, upkeep });
  await gateway.start({ host: '127.0.0.1', port: 0 });
  const [plainPort, port] = [await testPort(), await testPort()];
  const server = createServer(instance);
  prepare(server);
  const backends = [backend('r1', 1, { a: await listening(server) })];
  const expose = ['app.test', 'a.test', 'b.test'].map((host) => ({ host, path: '/' }));
  let version = 0;
  return {
    gateway,
    folder,
    authority,
    plainPort,
    port,
    route: async (tls, redirectToTls = false) => {
      version += 1;
      const listener = { environment: 'test', host: '127.0.0.1', port: plainPort, tls: { ...tls, port }, redirectToTls };
      await gateway.apply({ version, listeners: [listener], services: [routeOf({ expose, backends })] });
    },
    close: async () => {
      await gateway.drain(0);
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
