import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/effects/clock.ts';
import { writeDurably } from '../../src/effects/files.ts';
import { identify } from '../../src/effects/processes.ts';
import { systemRandom } from '../../src/effects/random.ts';
import { createGatewayControl } from '../../src/gateway/control/gateway-control.ts';
import { endProcess, liveCrew } from '../../src/gateway/crew-register.ts';
import { gatewayFiles } from '../../src/gateway/gateway-files.ts';
import { recordedProcess } from '../../src/gateway/gateway-folder.ts';
import type { ServiceRoute } from '../../src/gateway/routing-table.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { createEventLog } from '../../src/telemetry/event-log.ts';
import { median } from '../infrastructure/figures.ts';
import type { Values } from './cases.ts';
import { pause } from './processes.ts';

const entry = fileURLToPath(new URL('../../src/gateway/main.ts', import.meta.url));
const environment = 'bench';

/** Two releases with an instance each, both of which are really there, every policy that is kept per service, and a call to its neighbour. */
function routeOf(index: number, count: number, [a, b]: readonly [number, number], weight: number): ServiceRoute {
  return {
    environment,
    name: `s${index}`,
    expose: [{ host: `s${index}.test`, path: '/' }],
    calls: [`s${(index + 1) % count}`],
    tokenDigests: [createHash('sha256').update(`s${index}`).digest('hex')],
    health: { path: '/', intervalMs: 10_000, timeoutMs: 1_000 },
    backends: [
      { release: 'r2', weight, instances: [{ id: 'b1', host: '127.0.0.1', port: b, state: 'active' }] },
      { release: 'r1', weight: 100 - weight, instances: [{ id: 'a1', host: '127.0.0.1', port: a, state: 'active' }] },
    ],
    split: { salt: `s${index}/1`, affinity: { by: 'cookie', name: 'uid' } },
    limits: { concurrency: 100, queue: 100, queueMs: 1_000, priority: 'normal' },
    rateLimits: [{ key: { by: 'client' }, requests: 1_000, perMs: 1_000, burst: 1_000 }],
  };
}

/**
 * What many services cost: `publishMs` is the control plane's call for one of them, from the store to the gateway's word that it serves and is
 * durable; `switchedMs` the part of it until the first answer by the new table. `restartMs`: from the start of a gateway to its first answer,
 * every process of the one before killed. No load beside it.
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
    control.leave();
    const restarts: number[] = [];
    for (let time = 0; time < Math.ceil(times / 2); time += 1) restarts.push(await restart(gatewayFolder, port));
    const [publish, switched, restarted] = [publishes.slice(3), switches.slice(3), restarts];
    return {
      publishMs: median(publish),
      worstPublishMs: Math.max(...publish),
      switchedMs: median(switched),
      restartMs: median(restarted),
      worstRestartMs: Math.max(...restarted),
      workerMb: memoryMb,
    };
  } finally {
    control.leave();
    await killAll(gatewayFolder);
    await store.close();
  }
}

/** Milliseconds from the start of a main process to the first answer, all processes of the one before killed. */
async function restart(folder: string, port: number): Promise<number> {
  await killAll(folder);
  const began = performance.now();
  const child: ChildProcess = spawn(process.execPath, [entry, folder], { stdio: 'ignore', detached: true, env: compileCache(folder) });
  child.unref();
  await answeredBy(port, 's7.test', undefined);
  const tookMs = performance.now() - began;
  while ((await recordedProcess(folder))?.pid !== child.pid) await pause(20);
  return tookMs;
}

/** As the control plane starts it: compiled modules are kept in the gateway's folder. */
function compileCache(folder: string): Record<string, string> {
  return { PATH: '/usr/bin:/bin', NODE_COMPILE_CACHE: gatewayFiles(folder).compileCache };
}

async function killAll(folder: string): Promise<void> {
  for (;;) {
    const main = await recordedProcess(folder);
    const members = [...(main === undefined ? [] : [main]), ...(await liveCrew(folder))].filter(
      ({ pid, startTime }) => identify(pid)?.startTime === startTime,
    );
    if (members.length === 0) return;
    for (const member of members) endProcess(member);
    await pause(5);
  }
}

/** Asks again and again until somebody answers, of this release if one is given. */
async function answeredBy(port: number, host: string, letter: string | undefined): Promise<void> {
  for (;;) {
    const answer = await ask(port, host);
    if (answer !== undefined && (letter === undefined || answer === letter)) return;
    await pause(1);
  }
}

/** The last letter of the answer. */
function ask(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let text = '';
    socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
    socket.on('close', () => resolve(text.startsWith('HTTP/1.1 200') ? text.at(-1) : undefined));
    socket.on('error', () => {});
    socket.write(`GET /small HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  });
}

async function memoryOf(folder: string): Promise<number> {
  const members = await liveCrew(folder);
  const sizes = await Promise.all(members.map(({ pid }) => readFile(`/proc/${pid}/smaps_rollup`, 'utf8')));
  return median(sizes.map((text) => Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0)));
}
