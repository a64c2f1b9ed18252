import type { DriftReport } from '../../api/schemas/drift.ts';
import type { Json } from '../../digest/json.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { carryOut } from '../changing/carry-out.ts';
import { reportRun } from '../changing/outcome.ts';
import { environmentsOf } from '../changing/planning.ts';
import { defineCommand } from '../command.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { flag, inEnvironment, parallelism, reason, stackOption, yes } from '../options.ts';
import { connect, type Connection } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { confirm } from '../terminal/confirm.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';
import type { Channel, Terminal } from '../terminal/terminal.ts';
import { escapeLines } from '../terminal/text.ts';

export const command = defineCommand({
  description:
    'Reads everything that was applied and lists what is different now, field by field. --repair brings back what was applied, whatever the stack says by now; --accept records what is there as accepted: it is not reported, and not changed by a plan, until it changes again or its resource is updated. What is gone cannot be accepted. The control plane looks by itself every five minutes and writes an event when something has changed (SLUICE_DRIFT_INTERVAL: 30s, 5m, 1h or off).',
  arguments: [],
  options: {
    environment: inEnvironment,
    repair: flag('Brings back what was applied'),
    accept: flag('Accepts what is there'),
    yes,
    parallelism,
    reason,
    stack: stackOption,
  },
  examples: [
    { command: 'sluice drift', comment: 'exit code 2 when something was changed' },
    { command: 'sluice drift --repair --yes', comment: 'in a script' },
    { command: 'sluice drift --accept -e staging --reason "tuned by hand"', comment: 'leave it as it is' },
  ],
  exitCodes: {
    0: 'everything is as it was applied, or was repaired or accepted',
    1: 'something could not be read or repaired',
    2: 'there is drift',
    64: 'nobody can be asked: pass --yes',
  },
  run: async ({ terminal, global, options }) => {
    if (options.repair && options.accept) throw sluiceError('usage', { reason: 'Either --repair or --accept.', command: 'drift' });
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const environments = await environmentsOf(client, options.environment);
    const reports: DriftReport[] = [];
    for (const environment of environments) reports.push(await client.getDrift(environment));
    const channel = global.json ? terminal.err : terminal.out;
    for (const report of reports) channel.write(rendered(report, channel));
    const drifted = reports.filter(({ items }) => items.some(({ status }) => status === 'changed' || status === 'absent'));
    const unread = reports.some(({ items }) => items.some(({ status }) => status === 'unknown'));
    if (drifted.length === 0 || !(options.repair || options.accept)) {
      if (global.json) printJson(terminal, reports);
      return unread ? exitCodes.error : drifted.length > 0 ? exitCodes.changes : exitCodes.ok;
    }

    const question = `${options.repair ? 'Repair' : 'Accept'} what differs in ${drifted.map(({ environment }) => environment).join(', ')}?`;
    await confirm(terminal, question, options.yes);
    const after: unknown[] = [];
    let code: ExitCode = exitCodes.ok;
    for (const { environment } of drifted) {
      if (options.accept) {
        const accepted = await client.acceptDrift(environment);
        after.push(accepted);
        const gone = accepted.items.filter(({ status }) => status === 'absent').length;
        note(
          terminal,
          `Accepted in ${environment}${gone > 0 ? `; ${gone} that ${gone === 1 ? 'is' : 'are'} gone cannot be accepted` : ''}.`,
        );
        if (gone > 0) code = exitCodes.changes;
      } else {
        const repaired = await repair(client, environment, options.parallelism, terminal, channel);
        after.push(repaired.run);
        if (repaired.code !== exitCodes.ok) code = repaired.code;
      }
    }
    if (global.json) printJson(terminal, after);
    return code;
  },
});

async function repair(client: Connection['client'], environment: string, limit: number | undefined, terminal: Terminal, channel: Channel) {
  const run = await client.repairDrift(environment, limit === undefined ? {} : { parallelism: limit });
  const carried = await carryOut(await client.getPlan(run.plan), client, terminal, async () => run);
  if (carried.end === 'left') return { run, code: exitCodes.interrupted };
  return { run: carried.run, code: reportRun(carried.run, terminal, channel) };
}

function rendered({ environment, items, checked }: DriftReport, { colors }: Channel): string {
  if (items.length === 0)
    return `${colors.green(`${environment}: no drift`)} (${checked} ${checked === 1 ? 'resource' : 'resources'} read)\n`;
  const lines = items.flatMap(({ address, status, fields, error }) => {
    const [, kind, name] = address.split('/');
    const words = {
      changed: colors.yellow('changed'),
      absent: colors.red('gone'),
      unknown: colors.red('unreadable'),
      accepted: colors.dim('accepted'),
    };
    return [
      `  ${kind}/${name}  ${words[status]}${error === undefined ? '' : `: ${error}`}`,
      ...fields.map(({ field, applied, observed, accepted, because }) => {
        const line = `    ${field}: ${shown(applied)} → ${shown(observed)}${because === undefined ? '' : `, ${because}`}`;
        return accepted ? colors.dim(`${line} (accepted)`) : line;
      }),
    ].map(escapeLines);
  });
  return `${colors.bold(environment)}\n${lines.join('\n')}\n`;
}

function shown(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
