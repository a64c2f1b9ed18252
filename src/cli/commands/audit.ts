import type { Client } from '../../api/client.ts';
import type { AuditPage } from '../../api/schemas/audit.ts';
import { defineCommand } from '../command.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { count, inEnvironment, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';
import { type Column, renderTable } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';

type AuditRecord = AuditPage['items'][number];

const columns: readonly Column[] = [
  { title: 'nr', align: 'right' },
  { title: 'time' },
  { title: 'who', flexible: true },
  { title: 'what' },
  { title: 'to', flexible: true },
  { title: 'outcome' },
  { title: 'why', flexible: true, below: true },
];

export const command = defineCommand({
  description:
    'Lists every change: who made it, what it was, when, why (--reason of the command that made it) and how it ended. `sluice audit verify` holds the record against its chain of digests: it finds records that were changed, removed, moved or cut off. The digest of the last record, printed by it, is worth keeping elsewhere.',
  arguments: [{ name: 'action', description: 'verify: say whether the record is as it was written', choices: ['verify'] }],
  options: { environment: inEnvironment, tail: count('number', 'Only the last so many changes; default: 100'), stack: stackOption },
  examples: [
    { command: 'sluice audit', comment: 'who changed what' },
    { command: 'sluice audit verify', comment: 'exit code 1 when the record was touched' },
    { command: 'sluice audit --json', comment: 'every record with its digests' },
  ],
  exitCodes: { 0: 'done; verify: the record is as it was written', 1: 'verify: the record was touched' },
  run: async ({ terminal, global, arguments: { action }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    if (action === 'verify') return verify(client, terminal, global.json);
    const records = (await readAll(client)).filter(
      ({ environment }) => options.environment === undefined || environment === options.environment,
    );
    if (global.json) {
      printJson(terminal, records);
      return exitCodes.ok;
    }
    const changes = joined(records).slice(-(options.tail ?? 100));
    if (changes.length === 0) note(terminal, 'Nothing has been changed yet.');
    else terminal.out.write(renderTable(columns, changes.map(row), { width: terminal.out.width(), colors: terminal.out.colors }));
    return exitCodes.ok;
  },
});

async function verify(client: Client, terminal: Terminal, json: boolean): Promise<ExitCode> {
  const verification = await client.verifyAudit();
  const { ok, records, head, findings } = verification;
  if (json) printJson(terminal, verification);
  else if (ok)
    terminal.out.write(`${terminal.out.colors.green('The audit log is as it was written')}: ${records} records, head ${head ?? 'none'}.\n`);
  else {
    terminal.err.write(`${terminal.err.colors.red('The audit log was touched')}: ${records} records.\n`);
    for (const { sequence, problem } of findings)
      terminal.err.write(`  ${sequence === undefined ? '' : `record ${sequence}: `}${problem}\n`);
  }
  return ok ? exitCodes.ok : exitCodes.error;
}

async function readAll(client: Client): Promise<readonly AuditRecord[]> {
  const records: AuditRecord[] = [];
  for (let after = 0; ; ) {
    const { items, last } = await client.listAudit({ after, limit: 1_000 });
    records.push(...items);
    if (items.length < 1_000) return records;
    after = last;
  }
}

interface JoinedChange {
  readonly record: AuditRecord;
  readonly end: AuditRecord | undefined;
}

/** One line a change: its beginning and its end are one. */
function joined(records: readonly AuditRecord[]): readonly JoinedChange[] {
  const ends = new Map(records.filter(({ phase }) => phase === 'ended').map((end) => [end.of ?? end.run, end]));
  return records
    .filter(({ phase }) => phase !== 'ended')
    .map((record) => ({ record, end: ends.get(record.sequence) ?? (record.run === undefined ? undefined : ends.get(record.run)) }));
}

function row({ record, end }: JoinedChange): readonly string[] {
  const { sequence, time, actor, action, target, environment, run, reason, details, phase } = record;
  const more = Object.entries(details ?? {}).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const what = [target ?? end?.target ?? environment ?? '', ...(run === undefined ? [] : [run]), ...more].join(' ');
  const outcome =
    phase === 'done' ? 'done' : end === undefined ? 'unfinished' : `${end.outcome ?? ''}${end.error === undefined ? '' : `: ${end.error}`}`;
  return [String(sequence), time.slice(0, 19).replace('T', ' '), actor.name, action, what, outcome, reason ?? ''];
}
