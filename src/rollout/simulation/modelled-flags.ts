import { type Clock, timestamp } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import type { AuditLog } from '../../audit/audit-log.ts';
import { createFlagRollouts } from '../../flag-rollouts/flag-rollouts.ts';
import { createFlagDocuments, type FlagDocuments } from '../../flags/flag-documents.ts';
import type { FlagRecord, Override } from '../../flags/flag.ts';
import type { Store, Write } from '../../store/store.ts';
import type { EventLog } from '../../telemetry/events.ts';
import type { Answers } from './answers.ts';
import { actOnFlag, environment, type FlagAction, flagName } from './flag-people.ts';
import type { ServedVariant } from './memory-traffic.ts';
import type { Life } from './world.ts';

/** One flag, those who are served by it, and the loop that rolls it out. */
export interface ModelledFlags {
  /** One control plane looks after it from now on. */
  live(life: Life, clock: Clock): void;
  act(action: FlagAction): Promise<boolean>;
  /** Of what has become durable: what clients will notice. */
  wrote(writes: readonly Write[]): void;
  readonly served: () => ServedVariant;
}

/** When clients have noticed a change: sooner than they may. */
const noticedAfterMs = 300;
const definition = { variants: { off: 0, on: 1, worse: 2 }, default: 'off', rules: [] };
const worse = (of: Answers): Answers => ({ ...of, errorRate: of.errorRate + 0.08 });

export async function createModelledFlags(options: {
  readonly store: Store;
  readonly random: Random;
  readonly events: EventLog;
  /** Told under which name, with which chance and of how many users is counted what is served with which share. */
  readonly counted: (id: string, probability: number, share: number, units: number) => void;
}): Promise<ModelledFlags> {
  const { store, random, events, counted } = options;
  let clock: Clock | undefined;
  let documents: FlagDocuments | undefined;
  let rollouts: ReturnType<typeof createFlagRollouts> | undefined;
  let served: Override | undefined;
  let isHidden = false;
  const at = timestamp(Date.UTC(2026, 0, 1));
  const record = { id: 'tone', environment, name: flagName, declared: {}, definition, createdAt: at, changedAt: at };
  await store.transact([{ operation: 'put', collection: 'flags', key: `${environment}/${flagName}`, value: record }]);

  return {
    live({ store: mine, traffic, controller, signal }, time) {
      clock = time;
      documents = createFlagDocuments({ store: mine, clock });
      const audit: Pick<AuditLog, 'append'> = {
        append: async (entry, writes = []) => {
          await mine.transact(writes);
          return { ...entry, sequence: 1, time: '', previous: '', digest: '' } as unknown as Awaited<ReturnType<AuditLog['append']>>;
        },
      };
      const sets = { refresh: async () => ({ environment, revision: 1, changedAt: undefined, digest: '', flags: new Map(), list: [] }) };
      const ports = { store: mine, documents, sets, services: controller, traffic, audit, events, clock, random };
      rollouts = createFlagRollouts(ports);
      void rollouts.run(signal);
    },
    act: async (action) => {
      if (action.type === 'roll_flag') isHidden = action.isHidden === true;
      return documents !== undefined && rollouts !== undefined && clock !== undefined && actOnFlag(action, { rollouts, documents, clock });
    },
    wrote(writes) {
      for (const write of writes) {
        if (write.operation !== 'put' || write.collection !== 'flags') continue;
        const { override } = write.value as unknown as FlagRecord;
        void clock?.sleep(noticedAfterMs).then(() => (served = override));
      }
    },
    served: () => {
      const share = served?.action === 'percent' ? served.percent / 100 : served?.action === 'serve' ? 1 : 0;
      const isWorse = served !== undefined && served.action !== 'kill' && served.variant === 'worse';
      const name = served !== undefined && served.action !== 'kill' ? served.variant : 'off';
      return {
        share,
        name,
        isNamed: (user) => !isHidden || user % 3 === 0,
        answers: isWorse ? worse : (of) => of,
        counted: (id, probability, units) => counted(id, probability, share, units),
      };
    },
  };
}
