import { rm, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../effects/clock.ts';
import { writeDurably } from '../../effects/files.ts';
import { isAlive, startDetached, type StartedProcess, tailOf, terminateGroup } from '../../effects/processes.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { GatewayProcess } from '../admin/gateway-report.ts';
import { gatewayFiles } from '../gateway-files.ts';
import { recordedProcess, startingProcess } from '../gateway-folder.ts';

const startLimitMs = 20_000;

/** `main.ts` from sources, `main.js` when compiled: whatever this file is. */
const here = fileURLToPath(import.meta.url);
const entry = fileURLToPath(new URL(`../main${extname(here)}`, import.meta.url));

/** argv of the main process of this version of Sluice, without its folder. */
export function gatewayProgram(): readonly [string, ...string[]] {
  return [process.execPath, entry];
}

/** Starts a gateway process and waits until it serves. Throws `gateway_start_failed` with its last words; then, or aborted, none is left. */
export async function spawnGateway(
  folder: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ readonly process: GatewayProcess; readonly exit: StartedProcess['exit'] }> {
  const files = gatewayFiles(folder);
  const since = clock.monotonic();
  const wordsBefore = await sizeOf(files.output);
  const started = await startDetached({
    command: [...gatewayProgram(), folder],
    directory: folder,
    environment: { PATH: '/usr/bin:/bin', NODE_COMPILE_CACHE: files.compileCache, ...inherited() },
    logFile: files.output,
  });
  await writeDurably(files.starting, JSON.stringify({ pid: started.pid, startTime: started.startTime }));
  let hasExited = false;
  started.exit.then(() => {
    hasExited = true;
  }, String);
  for (;;) {
    const recorded = await recordedProcess(folder);
    if (recorded?.pid === started.pid && recorded.startTime === started.startTime) {
      await rm(files.starting, { force: true });
      return { process: recorded, exit: started.exit };
    }
    if (hasExited || signal.aborted || clock.monotonic() - since > startLimitMs) {
      await terminateGroup(started, 500, clock);
      const words = (await tailOf(files.output, Math.min(2_000, (await sizeOf(files.output)) - wordsBefore))).trim();
      throw sluiceError('gateway_start_failed', { reason: words === '' ? 'it ended without a word.' : words });
    }
    await clock.sleep(20);
  }
}

/** Waits for a gateway that a control plane started before it ended itself: until it is on record, or gone. One that is neither is ended. */
export async function awaitStarting(folder: string, clock: Clock, limitMs = startLimitMs): Promise<void> {
  const starting = await startingProcess(folder);
  if (starting === undefined) return;
  const deadline = clock.monotonic() + limitMs;
  while (isAlive(starting) && (await recordedProcess(folder))?.pid !== starting.pid) {
    if (clock.monotonic() >= deadline) await terminateGroup(starting, 500, clock);
    else await clock.sleep(20);
  }
  await rm(gatewayFiles(folder).starting, { force: true });
}

/**
 * Where HAProxy is looked for, where compiled modules are kept, which engine serves whatever the stack says; and where spans go, which is
 * told to every program in the same way, secrets among it: by the environment alone.
 */
function inherited(): Record<string, string> {
  const names = [
    'PATH',
    'NODE_COMPILE_CACHE',
    'SLUICE_GATEWAY_ENGINE',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'OTEL_EXPORTER_OTLP_HEADERS',
  ];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => ({ size: 0 }))).size;
}
