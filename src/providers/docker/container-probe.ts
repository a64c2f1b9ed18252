import { z } from 'zod';
import type { Clock } from '../../effects/clock.ts';
import type { ProbeResult } from '../workloads.ts';
import { type Engine, reasonIn } from './engine.ts';

const made = z.looseObject({ Id: z.string() });
const state = z.looseObject({ Running: z.boolean(), ExitCode: z.number().nullish(), Pid: z.number().optional() });
const lookMs = 20;

/** Runs a check inside a container, with its environment and files; ready when it ends with 0. Throws when the engine is away. */
export async function probeInside(
  container: string,
  { command, timeoutMs }: { readonly command: readonly string[]; readonly timeoutMs: number },
  { engine, clock }: { readonly engine: Engine; readonly clock: Clock },
): Promise<ProbeResult> {
  const [program = ''] = command;
  const deadline = clock.monotonic() + timeoutMs;
  const creation = await engine.call('POST', `/containers/${container}/exec`, { body: { Cmd: [...command] } });
  const read = made.safeParse(creation.body);
  if (!read.success || creation.status !== 201) return notReady(reasonIn(creation));
  const start = await engine.call('POST', `/exec/${read.data.Id}/start`, { body: { Detach: true } });
  if (start.status !== 200 && start.status !== 204) return notReady(reasonIn(start));
  for (;;) {
    const answer = await engine.call('GET', `/exec/${read.data.Id}/json`);
    const seen = state.safeParse(answer.body);
    if (!seen.success || answer.status !== 200) return notReady(reasonIn(answer));
    const { Running, ExitCode, Pid } = seen.data;
    if (!Running && ExitCode !== null && ExitCode !== undefined) {
      return ExitCode === 0 ? { ready: true } : notReady(`'${program}' ended with ${ExitCode}`);
    }
    if (clock.monotonic() >= deadline) {
      endForeign(Pid);
      return notReady(`'${program}' did not end within ${timeoutMs} ms`);
    }
    await clock.sleep(lookMs);
  }
}

function notReady(reason: string): ProbeResult {
  return { ready: false, reason };
}

/** The engine has no way to end it. Without the right to, it ends with its container. */
function endForeign(pid: number | undefined): void {
  if (pid === undefined || pid <= 1) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended, or belongs to another user.
  }
}
