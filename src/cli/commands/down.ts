import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../../errors/sluice-error.ts';
import { stopEverything } from '../changing/stop-everything.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { stackArgument } from '../options.ts';
import { connect, connectIfRunning } from '../target/connect.ts';
import { homeTarget, type Home } from '../target/target.ts';
import { withInterrupts } from '../terminal/interrupts.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';

export const command = defineCommand({
  description:
    'Stops instances, gateway, databases and the control plane. Data and state are kept: the next `sluice up` finds everything as it was left. Requests in flight are finished first.',
  arguments: [stackArgument],
  options: {},
  examples: [
    { command: 'sluice down', comment: 'the stack of the current folder' },
    { command: 'sluice down examples/customer-support', comment: 'another one' },
  ],
  exitCodes: { 0: 'nothing runs any more', 1: 'something could not be stopped', 130: 'left before it was over; it goes on stopping' },
  run: async ({ terminal, global, arguments: { stack } }) => {
    const target = homeIfAny(() => homeTarget({ stack }, global, terminal));
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
  },
});

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
