import { auditEntry, type FlagRolloutAct } from './audit-entry.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { AuditEntry } from '../audit/audit-record.ts';
import { type Clock, timestamp } from '../effects/clock.ts';
import type { Random } from '../effects/random.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { FlagDocuments } from '../flags/flag-documents.ts';
import type { FlagSets } from '../flags/flag-sets.ts';
import type { FlagRecord } from '../flags/flag.ts';
import { cleared, type Hand, overridden } from '../flags/overriding.ts';
import type { ServiceController } from '../rollout/service-controller.ts';
import type { Traffic } from '../rollout/traffic.ts';
import type { Store } from '../store/store.ts';
import type { EventLog } from '../telemetry/events.ts';
import { countsId, type FlagRollout, shareOf } from './flag-rollout.ts';
import { createFlagRolloutDocuments } from './flag-rollout-documents.ts';
import { type FlagRolloutRequest, newFlagRollout } from './new-rollout.ts';
import { countsOfFlag, observeFlag } from './observe-flag.ts';
import { type FlagChange, type FlagStep, step, stopped } from './step.ts';

interface FlagRolloutOrder {
  readonly actor: AuditEntry['actor'];
  readonly reason?: string | undefined;
}

/** Gives a variant of a flag to more and more users, and takes it back when it does them harm. */
export interface FlagRollouts {
  /** Throws `unknown_flag`, `unknown_variant`, `unknown_service`, `flag_rollout_running` and `flag_rollout_impossible`. */
  start(environment: string, flag: string, request: FlagRolloutRequest, order: FlagRolloutOrder): Promise<FlagRollout>;
  /** Users get at once what they got before. Throws `no_flag_rollout`. */
  stop(environment: string, flag: string, order: FlagRolloutOrder): Promise<FlagRollout>;
  /** The one under way, or the last one. Throws `no_flag_rollout`. */
  get(environment: string, flag: string): Promise<FlagRollout>;
  /** Looks after all that are under way until the signal is aborted. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export interface FlagRolloutDependencies {
  readonly store: Store;
  readonly documents: FlagDocuments;
  readonly sets: Pick<FlagSets, 'refresh'>;
  readonly services: Pick<ServiceController, 'countFlag' | 'stateOf' | 'isPublished'>;
  readonly traffic: Pick<Traffic, 'evidence' | 'latencies'>;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly events: Pick<EventLog, 'entry' | 'announce'>;
  readonly clock: Clock;
  readonly random: Random;
}

const lookMs = 1_000;
/** Who changes a flag when nobody does. */
const itself = { name: 'flag rollout' };

export function createFlagRollouts(dependencies: FlagRolloutDependencies): FlagRollouts {
  const { documents, sets, services, traffic, audit, events, clock, random } = dependencies;
  const rollouts = createFlagRolloutDocuments(dependencies.store);

  /** A step with its change of the flag, its entry in the audit log, its history and its event: one transaction. */
  const commit = async (
    { environment, flag }: Pick<FlagRollout, 'environment' | 'flag'>,
    version: number,
    order: FlagRolloutOrder,
    act: FlagRolloutAct,
    decide: (record: FlagRecord) => FlagStep,
  ): Promise<FlagRollout> => {
    let decided: FlagStep | undefined;
    await documents.change(
      environment,
      flag,
      (record) => {
        if (!record) throw sluiceError('unknown_flag', { environment, name: flag });
        decided = decide(record);
        const { change, rollout } = decided;
        const hand: Hand = { by: order.actor.name, at: timestamp(clock.now()), reason: order.reason ?? wordsOf(rollout) };
        const after = change === undefined ? record : changed(record, rollout, change, hand);
        return { after, change: { action: after.override === undefined ? 'cleared' : 'set', by: hand.by, reason: hand.reason } };
      },
      (writes) => {
        const { rollout } = decided as FlagStep;
        const { entry, event } = auditEntry(rollout, act, order);
        return audit.append(entry, [...writes, rollouts.write(rollout, version), events.entry(event)]);
      },
    );
    await sets.refresh(environment);
    events.announce();
    return (decided as FlagStep).rollout;
  };

  /** Whatever ends it, and whoever dies meanwhile: what is counted for it is counted no longer. */
  const settle = async (rollout: FlagRollout, version: number): Promise<void> => {
    const service = serviceAddress(rollout);
    const state = await services.stateOf(service);
    if (state?.flagCounts?.id === countsId(rollout)) await services.countFlag(service, undefined);
    await rollouts.replace({ ...rollout, isSettled: true }, version);
  };

  const advance = async (address: { environment: string; flag: string }): Promise<void> => {
    const found = await rollouts.read(address.environment, address.flag);
    if (!found || found.rollout.isSettled) return;
    const { rollout, version } = found;
    const service = serviceAddress(rollout);
    if (rollout.end) return settle(rollout, version);
    const [record, state] = await Promise.all([documents.read(address.environment, address.flag), services.stateOf(service)]);
    const counts = countsOfFlag(rollout);
    if (JSON.stringify(state?.flagCounts) !== JSON.stringify(counts)) await services.countFlag(service, counts);
    const isTold = rollout.phase === 'closing' ? await services.isPublished(service) : undefined;
    const seen = await observeFlag(rollout, record, state, traffic, isTold);
    const next = step(rollout, seen, clock.now());
    if (next.change !== undefined) {
      const act = next.rollout.end ? 'ended' : 'advanced';
      await commit(address, version, { actor: itself }, act, () => next);
    } else if (JSON.stringify(next.rollout) !== JSON.stringify(rollout)) await rollouts.replace(next.rollout, version);
    if (next.rollout.end) await advance(address);
  };

  /** As it is found, once nothing is left of one that has ended. */
  const settled = async (environment: string, flag: string) => {
    const known = await rollouts.read(environment, flag);
    if (!known?.rollout.end || known.rollout.isSettled) return known;
    await settle(known.rollout, known.version);
    return rollouts.read(environment, flag);
  };

  /** A service counts for one flag at a time. */
  const demandAlone = async (environment: string, flag: string, service: string): Promise<void> => {
    const other = (await rollouts.unsettled()).find(
      (each) => each.environment === environment && each.service === service && each.flag !== flag && !each.end,
    );
    if (!other) return;
    const wait = `wait for it, or take it back with \`sluice flag rollout ${other.flag} --stop\``;
    throw sluiceError('flag_rollout_impossible', { flag, reason: `${other.flag} is being rolled out on ${service}: ${wait}` });
  };

  const current = async (environment: string, flag: string) => {
    const found = await rollouts.read(environment, flag);
    if (!found) throw sluiceError('no_flag_rollout', { flag });
    return found;
  };

  return {
    get: async (environment, flag) => (await current(environment, flag)).rollout,
    start: async (environment, flag, request, order) => {
      const known = await settled(environment, flag);
      if (known && !known.rollout.end) throw sluiceError('flag_rollout_running', { flag, variant: known.rollout.variant });
      await demandAlone(environment, flag, request.service);
      const address = `${environment}/service/${request.service}`;
      const state = await services.stateOf(address);
      if (state?.stable === undefined) throw sluiceError('unknown_service', { address });
      const id = Buffer.from(random.bytes(6)).toString('hex');
      const place = { environment, flag };
      return commit(place, known?.version ?? 0, order, 'begun', (record) => {
        const rollout = newFlagRollout(record, request, { id, by: order.actor.name, reason: order.reason }, clock.now());
        return { rollout, change: { type: 'share', percent: shareOf(rollout) } };
      });
    },
    stop: async (environment, flag, order) => {
      const { rollout, version } = await current(environment, flag);
      if (rollout.end) return rollout;
      const end = await commit(rollout, version, order, 'ended', () => stopped(rollout, order.actor.name, clock.now()));
      // What cannot be done now is done at the next look.
      await advance({ environment, flag }).catch(() => undefined);
      return end;
    },
    run: async (signal) => {
      while (!signal.aborted) {
        const running = await rollouts.unsettled().catch(() => []);
        // What cannot be looked at now, because the store or the gateway is away or somebody was faster, is looked at again.
        for (const each of running) await advance(each).catch(() => undefined);
        await clock.sleep(lookMs, signal).catch(() => undefined);
      }
    },
  };
}

function changed(record: FlagRecord, { variant, attribute, before }: FlagRollout, change: FlagChange, hand: Hand): FlagRecord {
  if (change.type === 'share') return overridden(record, { variant, percent: change.percent, attribute }, hand);
  if (change.type === 'everybody') return overridden(record, { variant }, hand);
  return before === undefined ? cleared(record, hand) : { ...record, override: before, changedAt: hand.at };
}

function wordsOf({ end, reason }: FlagRollout): string | undefined {
  return end?.because ?? reason;
}

function serviceAddress({ environment, service }: Pick<FlagRollout, 'environment' | 'service'>): string {
  return `${environment}/service/${service}`;
}
