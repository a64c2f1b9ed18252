import type { ServiceView } from '../../api/schemas/service.ts';
import { applyStack } from '../changing/apply-stack.ts';
import { stopEverything } from '../changing/stop-everything.ts';
import { defineCommand } from '../command.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { allowDestroy, environment, flag, parallelism, reason, stackArgument, variables, yes } from '../options.ts';
import { connect, type Connection } from '../target/connect.ts';
import { stackTarget } from '../target/target.ts';
import { watchInterrupts, type Interrupts } from '../terminal/interrupts.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { curlFor } from '../watching/call-example.ts';
import { eventLine } from '../watching/event-line.ts';
import { newestEvent } from '../watching/newest-event.ts';
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
    parallelism,
    reason,
  },
  examples: [
    { command: 'sluice up', comment: 'the stack of the current folder' },
    { command: 'sluice up examples/customer-support --detach', comment: 'another one, in the background' },
    { command: 'sluice up -e staging --var replicas=2', comment: 'one environment' },
  ],
  exitCodes: {
    0: 'was up, and was stopped by Ctrl-C or left running by --detach',
    1: 'no plan could be made, or a change failed',
    64: 'something would be deleted and nobody can be asked: pass --yes',
    130: 'ended by Ctrl-C before it was up',
  },
  run: async ({ terminal, global, arguments: { stack }, options }) => {
    const target = stackTarget(stack, global, terminal);
    using interrupts = watchInterrupts();
    const connection = await connect(target, terminal, options.reason);
    const applied = await applyStack(connection, target, 'apply', { ...options, dryRun: false }, terminal, global).catch(
      async (thrown: unknown) => {
        // Nothing has been changed: what this command started for itself goes with it.
        if (connection.started && !options.detach) await stopEverything(connection).catch(() => undefined);
        throw thrown;
      },
    );
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

    const { client } = connection;
    const services = await waitUntilReady(client, applied.plan.environment, terminal, interrupts.first);
    if (global.json) printJson(terminal, { plan: applied.plan, ...(applied.run && { run: applied.run }), services });
    else terminal.out.write(endpoints(services, terminal));
    if (options.detach) {
      note(terminal, 'Running in the background: `sluice status` shows it, `sluice down` stops it.');
      return exitCodes.ok;
    }
    if (!interrupts.first.aborted) {
      note(terminal, 'Following events; Ctrl-C stops everything and keeps the data.');
      const stoppedElsewhere = await follow(connection, applied.lastEvent, terminal, interrupts.first);
      if (stoppedElsewhere) {
        note(terminal, 'The control plane was stopped from elsewhere.');
        return exitCodes.ok;
      }
    }
    return stop(connection, terminal, interrupts);
  },
});

/** Prints events until Ctrl-C. True when the control plane said goodbye before. */
async function follow({ client }: Connection, lastEvent: number, terminal: Terminal, signal: AbortSignal): Promise<boolean> {
  const after = lastEvent === 0 ? await newestEvent(client) : lastEvent;
  for await (const event of client.followEvents({ after, signal })) {
    terminal.err.write(`${eventLine(event, terminal.err)}\n`);
    if (event.type === 'control_plane.stopped') return true;
  }
  return false;
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

/** URL and a request to paste for every service that is exposed. */
function endpoints(services: readonly ServiceView[], terminal: Terminal): string {
  const { colors } = terminal.out;
  const exposed = services.filter(({ urls }) => urls.length > 0);
  const lines = exposed.flatMap((service) => {
    const ready = service.replicas.ready >= 1 ? '' : colors.yellow('  (not ready yet)');
    return ['', `${colors.bold(service.name)}  ${colors.cyan(service.urls.join('  '))}${ready}`, `  ${curlFor(service) ?? ''}`];
  });
  return lines.length === 0 ? '' : `${lines.join('\n')}\n\n`;
}
