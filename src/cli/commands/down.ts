import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../../errors/sluice-error.ts';
import { stopEverything } from '../changing/stop-everything.ts';
import { defineCommand, type GlobalOptions } from '../command.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { stackArgument } from '../options.ts';
import { connect, connectIfRunning } from '../target/connect.ts';
import { homeTarget, type Home } from '../target/target.ts';
import { withInterrupts } from '../terminal/interrupts.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';
import type { Terminal } from '../terminal/terminal.ts';

export const command = defineCommand({
  description:
    'Stops instances, gateway, databases and the control plane. Data and state are kept: the next `sluice up` finds everything as it was left. Requests in flight are finished first. When the state cannot be reached, what runs here is stopped all the same, and said so.',
  arguments: [stackArgument],
  options: {},
  examples: [
    { command: 'sluice down', comment: 'the stack of the current folder' },
    { command: 'sluice down examples/customer-support', comment: 'another one' },
  ],
  exitCodes: { 0: 'nothing runs any more', 1: 'something could not be stopped', 130: 'left before it was over; it goes on stopping' },
  run: async ({ terminal, global, arguments: { stack } }) => {
    const target = homeIfAny(() => homeTarget({ stack }, global, terminal));
    try {
      return await stopInOrder(target, terminal, global);
    } catch (thrown) {
      if (target === undefined || !isWithoutState(thrown)) throw thrown;
      return stopAllTheSame(target, thrown, terminal, global);
    }
  },
});

async function stopInOrder(target: Home | undefined, terminal: Terminal, global: GlobalOptions): Promise<ExitCode> {
  // After a crash of the control plane its gateway, instances and databases are still there: a new one adopts and then stops them.
  const connection =
    target &&
    ((await connectIfRunning(target)) ??
      ((await mayHaveLeftSomething(target))
        ? await connect(target, terminal, { starting: 'No control plane runs; one is started to stop what a crash may have left.' })
        : undefined));
  if (connection === undefined) {
    if (global.json) printJson(terminal, { stopped: false, home: target?.home });
    else note(terminal, 'Nothing runs.');
    return exitCodes.ok;
  }
  note(terminal, 'Stopping; data is kept …');
  const stopped = await withInterrupts(({ first }) => stopEverything(connection, first));
  if (global.json) printJson(terminal, { stopped, home: target?.home });
  else terminal.out.write(stopped ? 'Stopped. `sluice up` brings it back as it was.\n' : 'It goes on stopping in the background.\n');
  return stopped ? exitCodes.ok : exitCodes.interrupted;
}

/** Neither who may ask nor what there is can be looked up: the state does not answer, or no control plane starts on it. */
function isWithoutState(thrown: unknown): thrown is SluiceError {
  return thrown instanceof SluiceError && (thrown.code.startsWith('store_') || thrown.code === 'control_plane_did_not_start');
}

async function stopAllTheSame({ home }: Home, cause: SluiceError, terminal: Terminal, global: GlobalOptions): Promise<ExitCode> {
  note(terminal, `${cause.message}\nStopping without it what runs here …`);
  const [{ stopWithoutStore }, { systemClock }, { systemRandom }] = await Promise.all([
    import('../../control-plane/stop-without-store.ts'),
    import('../../effects/clock.ts'),
    import('../../effects/random.ts'),
  ]);
  const { ended, failed } = await stopWithoutStore(home, { clock: systemClock, random: systemRandom });
  if (global.json) printJson(terminal, { stopped: failed.length === 0, home, withoutState: { reason: cause.message, ended, failed } });
  else {
    terminal.out.write(`Ended without the state: ${ended.length === 0 ? 'nothing ran' : ended.join(', ')}.\n`);
    note(terminal, 'The state still says that it runs, and no event tells of this; the next `sluice up` finds out and brings it back.');
  }
  for (const { what, reason } of failed) note(terminal, `Not stopped: ${what}: ${reason}`);
  return failed.length === 0 ? exitCodes.ok : exitCodes.error;
}

async function mayHaveLeftSomething({ home }: Home): Promise<boolean> {
  if (!['state.db', 'store.url'].some((file) => existsSync(join(home, file)))) return false;
  const { wasStoppedCleanly } = await import('../../control-plane/discovery.ts');
  return !(await wasStoppedCleanly(home));
}

function homeIfAny(find: () => Home): Home | undefined {
  try {
    return find();
  } catch (thrown) {
    if (thrown instanceof SluiceError && thrown.code === 'home_not_found') return undefined;
    throw thrown;
  }
}
