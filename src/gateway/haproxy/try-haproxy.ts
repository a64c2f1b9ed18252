import type { Clock } from '../../effects/clock.ts';
import { toSluiceError } from '../../errors/sluice-error.ts';
import { defaultLimits } from '../http/limits.ts';
import { bindSocket } from '../listening/bound-socket.ts';
import { type Generation, startGeneration } from './generation.ts';
import { openHaproxyFolder } from './haproxy-folder.ts';
import { logSampling } from './log/sampling.ts';

/**
 * Starts the program once with a configuration as ours are and a listening socket it inherits, and ends it: what it is missing, what keeps it from
 * our files, and a wrapper that is not the process it starts, all show here and not when requests depend on it. Why it cannot be used;
 * undefined when it can. Nothing of it is left.
 */
export async function tryHaproxy(binary: string, folder: string, clock: Clock): Promise<string | undefined> {
  const files = await openHaproxyFolder(folder);
  const name = `trial-${process.pid}`;
  const { socket, port } = await bindSocket('127.0.0.1', 0);
  try {
    const bind = { host: '127.0.0.1', port, name: 'l0', relay: files.relay('l0'), fd: socket.fd };
    const generation = await startGeneration({
      binary,
      folder: files,
      limits: defaultLimits,
      clock,
      threads: 1,
      name,
      binds: [bind],
      state: { names: new Set(['s0']), slots: [], routes: new Map([['l0', new Map()]]) },
      span: '0'.repeat(16),
      told: logSampling(0),
      onTold: () => {},
    });
    return await whyNotItself(generation);
  } catch (error) {
    return toSluiceError(error).message;
  } finally {
    socket.close();
    await files.remove(name);
    await files.close();
  }
}

async function whyNotItself(generation: Generation): Promise<string | undefined> {
  const { pid, session } = generation.process;
  const actual = Number(/^Pid: (\d+)$/m.exec(await session.run('show info'))?.[1]);
  await generation.end();
  if (actual === pid) return undefined;
  if (actual > 0) process.kill(actual, 'SIGKILL');
  return 'it is a wrapper that starts HAProxy as another process';
}
