import { sluiceError } from '../../errors/sluice-error.ts';
import { applyStack, type Applied } from '../changing/apply-stack.ts';
import { stopEverything } from '../changing/stop-everything.ts';
import type { PlanWishes } from '../changing/planning.ts';
import { defineCommand, type Invocation } from '../command.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { allowDestroy, allowMassDestroy, environment, flag, parallelism, reason, stackArgument, variables, yes } from '../options.ts';
import { connect, type Connection } from '../target/connect.ts';
import { stackTarget } from '../target/target.ts';
import { withInterrupts, type Interrupts } from '../terminal/interrupts.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { renderEndpoints } from '../watching/endpoints.ts';
import { followWhileAlive } from '../watching/follow.ts';
import { waitUntilReady } from '../watching/readiness.ts';

export const command = defineCommand({
  description:
    'Starts a control plane when none runs, prints the plan, applies it with live progress, prints the URLs with a request to paste, and stays until Ctrl-C, which stops everything and keeps the data. A second Ctrl-C leaves the stopping to the background. Asks first when something would be deleted or replaced.',
  arguments: [stackArgument],
  options: {
    detach: flag('Leaves it running in the background once it is up', 'd'),
    environment,
    var: variables,
    yes,
    allowDestroy,
    allowMassDestroy,
    parallelism,
    reason,
  },
  examples: [
    { command: 'sluice up', comment: 'the stack of the current folder' },
    { command: 'sluice up examples/customer-support --detach', comment: 'another one, in the background' },
    { command: 'sluice up -e staging --var replicas=2', comment: 'one environment' },
  ],
  exitCodes: {
    0: 'was up, and was stopped by Ctrl-C or `sluice down`, or left running by --detach',
    1: 'no plan could be made, or a change failed',
    64: 'something would be deleted and nobody can be asked: pass --yes',
    130: 'ended by Ctrl-C before it was up',
  },
  run: (invocation) => withInterrupts((interrupts) => up(invocation, interrupts)),
});

interface UpOptions extends PlanWishes {
  readonly detach: boolean;
  readonly yes: boolean;
  readonly parallelism: number | undefined;
  readonly reason: string | undefined;
}

async function up(
  { terminal, global, arguments: { stack }, options }: Invocation<UpOptions, { stack: string | undefined }>,
  interrupts: Interrupts,
): Promise<ExitCode> {
  const target = stackTarget(stack, global, terminal);
  const connection = await connect(target, terminal, { reason: options.reason });
  const applied = await applyUnlessInterrupted(interrupts, () =>
    applyStack(connection, target, 'apply', { ...options, dryRun: false }, terminal, global),
  ).catch(async (thrown: unknown) => {
    // Nothing has been changed: what this command started for itself goes with it.
    if (connection.started) await stopEverything(connection).catch(() => undefined);
    throw thrown;
  });
  if (applied.end === 'left') return applied.code;
  if (applied.end === 'cancelled') {
    if (!options.detach) await stop(connection, terminal, interrupts);
    return applied.code;
  }
  if (applied.code !== exitCodes.ok) {
    note(terminal, 'What was applied keeps running. Correct the cause and run `sluice up` again, or stop it with `sluice down`.');
    if (global.json) printJson(terminal, { plan: applied.plan, run: applied.run });
    return applied.code;
  }

  const services = await waitUntilReady(connection.client, applied.plan.environment, terminal, interrupts.first);
  if (global.json) printJson(terminal, { plan: applied.plan, ...(applied.run && { run: applied.run }), services });
  else terminal.out.write(renderEndpoints(services, terminal.out));
  if (options.detach) {
    note(terminal, 'Running in the background: `sluice status` shows it, `sluice down` stops it.');
    return exitCodes.ok;
  }
  if (!interrupts.first.aborted) {
    const after = applied.lastEvent === 0 ? (await connection.client.status()).lastEvent : applied.lastEvent;
    note(terminal, 'Following events; Ctrl-C stops everything and keeps the data.');
    const end = await followWhileAlive(connection, target, { after, signal: interrupts.first }, terminal);
    if (end === 'stopped') {
      note(terminal, 'Stopped from elsewhere. `sluice up` brings it back as it was.');
      return exitCodes.ok;
    }
  }
  return stop(connection, terminal, interrupts);
}

async function applyUnlessInterrupted(interrupts: Interrupts, apply: () => Promise<Applied>): Promise<Applied> {
  if (interrupts.first.aborted) throw sluiceError('interrupted', { what: 'nothing has been changed.' });
  return apply();
}

async function stop(connection: Connection, terminal: Terminal, interrupts: Interrupts): Promise<ExitCode> {
  note(terminal, 'Stopping; data is kept. Ctrl-C again leaves it to the background …');
  if (await stopEverything(connection, interrupts.second)) {
    note(terminal, 'Stopped. `sluice up` brings it back as it was.');
    return exitCodes.ok;
  }
  note(terminal, 'It goes on stopping in the background; `sluice down` waits for it.');
  return exitCodes.interrupted;
}
