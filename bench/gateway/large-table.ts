import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/effects/clock.ts';
import { writeDurably } from '../../src/effects/files.ts';
import { systemRandom } from '../../src/effects/random.ts';
import { createGatewayControl } from '../../src/gateway/control/gateway-control.ts';
import { liveCrew } from '../../src/gateway/crew-register.ts';
import { gatewayFiles } from '../../src/gateway/gateway-files.ts';
import { endGateway } from '../../src/gateway/testing/end-gateway.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { createEventLog } from '../../src/telemetry/event-log.ts';
import { median } from '../infrastructure/figures.ts';
import type { Values } from './cases.ts';
import { environment, routeOf } from './many-services.ts';
import { answeredBy } from './one-answer.ts';
import { pause } from './processes.ts';

/**
 * What many services cost: `publishMs` is the control plane's call for one of them, from the store to the gateway's word that it serves and is
 * durable; `switchedMs` the part of it until the first answer by the new table. No load beside it.
 */
export async function largeTable(
  folder: string,
  port: number,
  ports: readonly [number, number],
  { services, times }: { readonly services: number; readonly times: number },
): Promise<Values> {
  const home = join(folder, `large-${port}`);
  const gatewayFolder = join(home, 'gateway');
  await mkdir(home, { recursive: true });
  await writeDurably(gatewayFiles(gatewayFolder).settings, JSON.stringify({ internal: { host: '127.0.0.1', port: port + 1 } }));
  const store = await openSqliteStore({ path: join(home, 'state.db') });
  const routes = Array.from({ length: services }, (_, index) => routeOf(index, services, ports, 0));
  await store.transact([
    { operation: 'put', collection: 'routing', key: `listener/${environment}`, value: { host: '127.0.0.1', port } },
    ...routes.map((route) => ({
      operation: 'put' as const,
      collection: 'routing',
      key: `service/${environment}/${route.name}`,
      value: JSON.parse(JSON.stringify(route)) as never,
    })),
  ]);
  const events = createEventLog({ store, clock: systemClock });
  const control = createGatewayControl({
    home,
    store,
    events,
    clock: systemClock,
    random: systemRandom,
    instancesRun: () => Promise.resolve(false),
  });
  try {
    await control.start();
    const publishes: number[] = [];
    const switches: number[] = [];
    for (let time = 0; time < times + 3; time += 1) {
      const began = performance.now();
      const weight = time % 2 === 0 ? 100 : 0;
      const published = control.publish(routeOf(7, services, ports, weight)).then(() => publishes.push(performance.now() - began));
      await answeredBy(port, 's7.test', weight === 100 ? 'b' : 'a');
      switches.push(performance.now() - began);
      await published;
      await pause(100);
    }
    const memoryMb = (await memoryOf(gatewayFolder)) / 1_024;
    const [publish, switched] = [publishes.slice(3), switches.slice(3)];
    return {
      publishMs: median(publish),
      worstPublishMs: Math.max(...publish),
      switchedMs: median(switched),
      workerMb: memoryMb,
    };
  } finally {
    control.leave();
    await endGateway(gatewayFolder);
    await store.close();
  }
}

async function memoryOf(folder: string): Promise<number> {
  const members = await liveCrew(folder);
  const sizes = await Promise.all(members.map(({ pid }) => readFile(`/proc/${pid}/smaps_rollup`, 'utf8')));
  return median(sizes.map((text) => Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0)));
}
