import { auditActor } from '../api/audited.ts';
import type { FlagDesk, FlagOrder } from '../api/ports.ts';
import type { FlagView, PreviewFlagRequest } from '../api/schemas/flag.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { AuditEntry } from '../audit/audit-record.ts';
import type { JsonObject } from '../digest/json.ts';
import { type Clock, timestamp } from '../effects/clock.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { checkContext } from '../flags/context.ts';
import type { FlagDocuments } from '../flags/flag-documents.ts';
import type { FlagSets } from '../flags/flag-sets.ts';
import { type FlagChange, type FlagRecord, inWords } from '../flags/flag.ts';
import { cleared, type Hand, killed, overridden } from '../flags/overriding.ts';
import { previewOf } from '../flags/preview.ts';
import { staleness } from '../flags/staleness.ts';
import type { FlagUsage } from '../flags/usage.ts';
import type { UsageKeeper } from '../flags/usage-keeper.ts';
import type { EventLog, NewEvent } from '../telemetry/events.ts';

export interface FlagDeskDependencies {
  readonly documents: FlagDocuments;
  readonly sets: FlagSets;
  readonly usage: Pick<UsageKeeper, 'of'>;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly events: Pick<EventLog, 'entry' | 'announce'>;
  readonly clock: Clock;
}

const actions = { set: 'flag.set', killed: 'flag.kill', cleared: 'flag.clear' } as const;

/** Flags as people see and change them. A change, its record in the audit log, its history and its event are one transaction. */
export function createFlagDesk({ documents, sets, usage, audit, events, clock }: FlagDeskDependencies): FlagDesk {
  const view = (record: FlagRecord, used: FlagUsage | undefined): FlagView => viewOf(record, used, clock.now());

  const find = async (environment: string, name: string): Promise<FlagView> => {
    const record = await documents.read(environment, name);
    if (record === undefined) throw sluiceError('unknown_flag', { environment, name });
    return view(record, (await usage.of(environment)).get(name));
  };

  const change = async (
    environment: string,
    name: string,
    { actor, reason }: FlagOrder,
    action: keyof typeof actions,
    decide: (record: FlagRecord, hand: Hand) => FlagRecord,
    details?: JsonObject,
  ): Promise<FlagView> => {
    const by: Pick<FlagChange, 'by' | 'reason'> = { by: actor.name, ...(reason !== undefined && { reason }) };
    await documents.change(
      environment,
      name,
      (current) => {
        if (current === undefined) throw sluiceError('unknown_flag', { environment, name });
        return { after: decide(current, { ...by, at: timestamp(clock.now()) }), change: { action, ...by } };
      },
      (writes, { after }) => {
        const target = `${environment}/flag/${name}`;
        const entry: AuditEntry = {
          actor: auditActor(actor),
          action: actions[action],
          phase: 'done',
          environment,
          target,
          ...(reason !== undefined && { reason }),
          ...(details && { details }),
        };
        return audit.append(entry, [...writes, events.entry(changeEvent(after as FlagRecord, action, actor.name, reason))]);
      },
    );
    await sets.refresh(environment);
    events.announce();
    return find(environment, name);
  };

  return {
    get: find,
    list: async (environment) => {
      const [records, used] = await Promise.all([documents.list(environment), usage.of(environment)]);
      return records.map((record) => view(record, used.get(record.name)));
    },
    history: async (environment, name, limit) => {
      const changes = await documents.history(environment, name, limit);
      if (changes.length === 0) throw sluiceError('unknown_flag', { environment, name });
      return changes;
    },
    set: (environment, name, request, order) =>
      change(environment, name, order, 'set', decisions({ change: 'set', ...request }), { ...request }),
    kill: (environment, name, order) => change(environment, name, order, 'killed', decisions({ change: 'kill' })),
    clear: (environment, name, order) => change(environment, name, order, 'cleared', decisions({ change: 'clear' })),
    preview: async (environment, name, request) => {
      const record = await documents.read(environment, name);
      if (record === undefined) throw sluiceError('unknown_flag', { environment, name });
      const after = decisions(request)(record, { by: '', at: timestamp(clock.now()) });
      const { address, usage: used } = view(record, (await usage.of(environment)).get(name));
      return { address, change: request.change, ...previewOf(record, after), uses: used.uses };
    },
    evaluate: async (environment, name, context) => {
      const read = checkContext(context);
      if (!read.ok) throw sluiceError('invalid_evaluation_context', { reason: read.errorDetails });
      const flag = (await sets.of(environment)).flags.get(name);
      if (flag === undefined) throw sluiceError('unknown_flag', { environment, name });
      const { ok: _, ...evaluation } = flag.evaluate(read.context);
      return evaluation;
    },
  };
}

/** Throws `unknown_variant` and `flag_not_overridden`. */
function decisions(request: PreviewFlagRequest): (record: FlagRecord, hand: Hand) => FlagRecord {
  return (record, hand) => {
    if (request.change === 'set') return overridden(record, request, hand);
    if (request.change === 'kill') return killed(record, hand);
    if (record.override === undefined) throw sluiceError('flag_not_overridden', { flag: record.name });
    return cleared(record, hand);
  };
}

function changeEvent(record: FlagRecord, action: keyof typeof actions, by: string, reason: string | undefined): NewEvent {
  const { environment, name } = record;
  const why = reason === undefined ? '' : `: ${reason}`;
  return {
    type: 'flag.changed',
    level: action === 'killed' ? 'warning' : 'info',
    message: `The flag ${name} serves ${inWords(record)}, by ${by}${why}`,
    environment,
    address: `${environment}/flag/${name}`,
    data: { action, by },
  };
}

function viewOf(record: FlagRecord, used: FlagUsage | undefined, now: number): FlagView {
  const { environment, name, definition, override, changedAt } = record;
  const uses = used?.uses ?? [];
  const times = Object.values(used?.variants ?? {});
  const sum = (of: 'evaluations' | 'fetches'): number => uses.reduce((total, use) => total + use[of], 0);
  return {
    address: `${environment}/flag/${name}`,
    environment,
    name,
    variants: definition.variants,
    default: definition.default,
    rules: definition.rules,
    serves: inWords(record),
    ...(override && { override }),
    changedAt,
    usage: {
      ...(used && { since: timestamp(used.since) }),
      ...(times.length > 0 && { lastAt: timestamp(Math.max(...times)) }),
      evaluations: sum('evaluations') + (used?.others ?? 0),
      fetches: sum('fetches'),
      errors: used?.errors ?? 0,
      uses: uses.map((use) => Object.assign({}, use, { lastAt: timestamp(use.lastAt) })),
    },
    stale: staleness(record, used, now),
  };
}
