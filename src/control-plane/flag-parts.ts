import type { FlagDesk, FlagEvaluationPorts } from '../api/ports.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Clock } from '../effects/clock.ts';
import type { Random } from '../effects/random.ts';
import { createFlagDocuments, type FlagDocuments } from '../flags/flag-documents.ts';
import { createFlagProvider } from '../flags/flag-provider.ts';
import { createFlagSets, type FlagSets } from '../flags/flag-sets.ts';
import { createOfrep } from '../flags/ofrep/answers.ts';
import { createOpenStreams } from '../flags/ofrep/open-streams.ts';
import { createRequestBudget } from '../flags/ofrep/request-budget.ts';
import { createStreamTickets } from '../flags/ofrep/stream-ticket.ts';
import { createUsageKeeper, type UsageKeeper } from '../flags/usage-keeper.ts';
import type { Provider } from '../providers/provider.ts';
import { createServiceIdentities } from '../rollout/service-identities.ts';
import type { Vault } from '../secrets/vault.ts';
import type { Store } from '../store/store.ts';
import type { EventLog } from '../telemetry/events.ts';
import { createFlagDesk } from './flag-desk.ts';

export interface FlagParts {
  readonly documents: FlagDocuments;
  readonly provider: Provider;
  readonly desk: FlagDesk;
  readonly evaluation: FlagEvaluationPorts;
  readonly sets: FlagSets;
  readonly usage: UsageKeeper;
  /** Notices changes by others and keeps the counts, until the signal is aborted. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/** Evaluations of each key or service: some thousands at once, a thousand a second. Beyond that a program asks where it should remember. */
const budget = { burst: 5_000, perSecond: 1_000 };
/** The key of a page is the same for everybody who opens it. */
const streamsPerHolder = 5_000;

/** All that has to do with flags, wired. */
export function createFlagParts(dependencies: {
  readonly store: Store;
  readonly vault: Pick<Vault, 'fingerprint'>;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly random: Random;
}): FlagParts {
  const { store, vault, audit, events, clock, random } = dependencies;
  const documents = createFlagDocuments({ store, clock });
  const sets = createFlagSets({ documents, clock });
  const usage = createUsageKeeper({ store, clock });
  return {
    documents,
    sets,
    usage,
    provider: createFlagProvider({ documents, sets, usage, clock, random }),
    desk: createFlagDesk({ documents, sets, usage, audit, events, clock }),
    evaluation: {
      ofrep: createOfrep({ sets, usage }),
      sets,
      services: createServiceIdentities({ store, clock }),
      tickets: createStreamTickets(vault),
      budget: createRequestBudget({ clock, ...budget }),
      streams: createOpenStreams({ perHolder: streamsPerHolder }),
    },
    run: async (signal) => {
      await Promise.all([sets.run(signal), usage.run(signal)]);
    },
  };
}
