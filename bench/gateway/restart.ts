import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeDurably } from '../../src/effects/files.ts';
import { identify, signalGroup } from '../../src/effects/processes.ts';
import { endProcess, liveCrew } from '../../src/gateway/crew-register.ts';
import { gatewayFiles } from '../../src/gateway/gateway-files.ts';
import { recordedProcess } from '../../src/gateway/gateway-folder.ts';
import { openSnapshot } from '../../src/gateway/table/snapshot.ts';
import { endGateway } from '../../src/gateway/testing/end-gateway.ts';
import { median } from '../infrastructure/figures.ts';
import type { Values } from './cases.ts';
import { environment, routeOf } from './many-services.ts';
import { cpuMsOf, pause } from './processes.ts';
import { answeredBy } from './one-answer.ts';

const sources = fileURLToPath(new URL('../../src/gateway/main.ts', import.meta.url));
const compiled = fileURLToPath(new URL('../../dist/gateway/main.js', import.meta.url));

/** The program of a main process, by where it is from: the sources, and what `npm run build` made of them, which is what the package holds. */
export function programs(): ReadonlyMap<string, string> {
  return new Map([['sources', sources], ...(existsSync(compiled) ? [['package', compiled] as const] : [])]);
}

/**
 * A gateway starts again from its last table, every process of the one before killed: milliseconds from the start of the main process to
 * the first answer, and the processor time of all its processes until then. The first start of a folder, which has no compiled
 * modules yet, is not counted.
 */
export async function restarts(
  folder: string,
  port: number,
  ports: readonly [number, number],
  { services, times, program }: { readonly services: number; readonly times: number; readonly program: string },
): Promise<Values> {
  const gatewayFolder = join(folder, `restart-${port}`);
  await writeDurably(gatewayFiles(gatewayFolder).settings, JSON.stringify({ internal: { host: '127.0.0.1', port: port + 1 } }));
  const { snapshot } = await openSnapshot(gatewayFiles(gatewayFolder).snapshot, () => Date.now());
  await snapshot.save({
    version: 1,
    listeners: [{ environment, host: '127.0.0.1', port }],
    services: Array.from({ length: services }, (_, index) => routeOf(index, services, ports, 0)),
  });
  try {
    await restart(gatewayFolder, port, program);
    // What a start leaves for the next one is written a moment later.
    await pause(2_000);
    const found: Restart[] = [];
    for (let time = 0; time < times; time += 1) found.push(await restart(gatewayFolder, port, program));
    const took = found.map(({ tookMs }) => tookMs);
    return { restartMs: median(took), worstRestartMs: Math.max(...took), cpuMs: median(found.map(({ cpuMs }) => cpuMs)) };
  } finally {
    await endGateway(gatewayFolder);
  }
}

export interface Restart {
  readonly tookMs: number;
  readonly cpuMs: number;
}

/** From the start of a main process to the first answer of service `s7`, all processes of the one before killed. */
export async function restart(folder: string, port: number, program = sources): Promise<Restart> {
  await killAll(folder);
  const began = performance.now();
  const child: ChildProcess = spawn(process.execPath, [program, folder], { stdio: 'ignore', detached: true, env: asStarted(folder) });
  child.unref();
  await answeredBy(port, 's7.test', undefined);
  const tookMs = performance.now() - began;
  const cpuMs = cpuMsOf(child.pid as number);
  while ((await recordedProcess(folder))?.pid !== child.pid) await pause(20);
  return { tookMs, cpuMs };
}

/** As the control plane starts it: compiled modules are kept in the gateway's folder. */
function asStarted(folder: string): Record<string, string> {
  return { PATH: '/usr/bin:/bin', NODE_COMPILE_CACHE: gatewayFiles(folder).compileCache };
}

async function killAll(folder: string): Promise<void> {
  for (;;) {
    const main = await recordedProcess(folder);
    const members = [...(main === undefined ? [] : [main]), ...(await liveCrew(folder))].filter(
      ({ pid, startTime }) => identify(pid)?.startTime === startTime,
    );
    if (members.length === 0) return;
    // The group at once: workers that outlive their main process would start another.
    if (main !== undefined) signalGroup(main, 'SIGKILL');
    for (const member of members) endProcess(member);
    await pause(5);
  }
}
