import { createServer } from 'node:net';
import { systemClock } from '../../effects/clock.ts';
import { seededRandom } from '../../effects/random.ts';
import { type Backend, chooseInstance } from '../balancing/choose.ts';
import type { Instance } from '../balancing/instance.ts';
import { createEngine, type Engine, type Outcome } from '../http/engine.ts';
import { createFront } from '../http/front.ts';
import { defaultLimits, type Limits } from '../http/limits.ts';
import { createIdentifiers } from '../http/trace.ts';
import { silentLog } from '../log.ts';
import type { RoutedService, Routes } from '../routing/routes.ts';
import { portOf } from './raw-client.ts';

/** The HTTP engine alone, with one public service for the host `app.test` whose parts a test chooses. */
export interface BareEngine {
  readonly engine: Engine;
  readonly port: number;
  readonly reports: readonly { readonly id: string; readonly outcome: Outcome }[];
  close(): void;
}

export function instanceAt(id: string, port: number, release = 'r1'): Instance {
  const place = { key: id, environment: 'test', service: 'app', id, host: '127.0.0.1', port, release };
  const standing = { ejected: false, ready: true, rampingSince: undefined };
  return { ...place, ...standing, state: 'active', healthy: true, failures: 0, inFlight: 0 };
}

export function backendOf(release: string, weight: number, instances: readonly Instance[], parts: Partial<Backend> = {}): Backend {
  return { release, weight, active: instances, ready: instances, ...parts };
}

export async function createBareEngine(
  backends: readonly Backend[],
  parts: Partial<RoutedService> = {},
  limits: Partial<Limits> = {},
): Promise<BareEngine> {
  const random = seededRandom(1);
  const service: RoutedService = {
    environment: 'test',
    name: 'app',
    backends,
    instances: backends.flatMap((each) => each.active),
    health: { intervalMs: 60_000, timeoutMs: 1_000 },
    calls: new Map(),
    ...parts,
  };
  const exposed = new Map([['test', new Map([['app.test', [{ prefix: '', service }]]])]]);
  const routes: Routes = { version: 1, exposed, callers: new Map(), services: [service] };
  const reports: { id: string; outcome: Outcome }[] = [];
  const engine = createEngine({
    dispatch: {
      routes: () => routes,
      choose: (wanted, tried, assigned) => chooseInstance(assigned === undefined ? wanted.backends : [assigned], random, tried),
      acquire: (instance) => {
        instance.inFlight += 1;
      },
      release: (instance) => {
        instance.inFlight -= 1;
      },
      report: (instance, outcome) => reports.push({ id: instance.id, outcome }),
    },
    limits: { ...defaultLimits, ...limits },
    log: silentLog,
    clock: systemClock,
    point: () => random.next(),
    identifier: createIdentifiers(seededRandom(2)),
    isStopping: () => false,
  });
  const front = createFront(engine, { kind: 'public', environment: () => 'test' });
  const server = createServer({ noDelay: true }, (socket) => front.accept(socket));
  const port = await portOf(server);
  const timer = setInterval(() => engine.sweep(), engine.sweepMs);
  return {
    engine,
    port,
    reports,
    close: () => {
      clearInterval(timer);
      server.close();
      front.destroy();
      for (const copy of engine.mirrored) copy.terminate();
      engine.pools.close();
    },
  };
}
