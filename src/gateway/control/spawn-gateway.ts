import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../effects/clock.ts';
import { startDetached, type StartedProcess, tailOf, terminateGroup } from '../../effects/processes.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { GatewayProcess } from '../admin/gateway-report.ts';
import { gatewayFiles, recordedProcess } from '../gateway-folder.ts';

const startLimitMs = 20_000;

/** `main.ts` from sources, `main.js` when compiled: whatever this file is. */
const here = fileURLToPath(import.meta.url);
const entry = fileURLToPath(new URL(`../main${extname(here)}`, import.meta.url));

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
    command: [process.execPath, entry, folder],
    directory: folder,
    environment: { PATH: '/usr/bin:/bin', NODE_COMPILE_CACHE: files.compileCache },
    logFile: files.output,
  });
  let hasExited = false;
  started.exit.then(() => {
    hasExited = true;
  }, String);
  for (;;) {
    const recorded = await recordedProcess(folder);
    if (recorded?.pid === started.pid && recorded.startTime === started.startTime) return { process: recorded, exit: started.exit };
    if (hasExited || signal.aborted || clock.monotonic() - since > startLimitMs) {
      await terminateGroup(started, 500, clock);
      const words = (await tailOf(files.output, Math.min(2_000, (await sizeOf(files.output)) - wordsBefore))).trim();
      throw sluiceError('gateway_start_failed', { reason: words === '' ? 'it ended without a word.' : words });
    }
    await clock.sleep(20);
  }
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => ({ size: 0 }))).size;
}
