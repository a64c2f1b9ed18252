import type { JsonObject } from '../digest/json.ts';
import { type Clock, timestamp } from '../effects/clock.ts';
import { newId, type Random } from '../effects/random.ts';
import { computePlan } from '../plan/compute.ts';
import { digestStack } from '../plan/digests.ts';
import type { DesiredResource } from '../plan/inputs.ts';
import type { Change, Plan } from '../plan/plan.ts';
import type { Drift, Observation, Provider } from '../providers/provider.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import { createKnownSecrets, type KnownSecrets, learningVault } from '../secrets/known-secrets.ts';
import type { Vault } from '../secrets/vault.ts';
import type { Address, Kind } from '../stack/stack.ts';
import type { Store } from '../store/store.ts';
import { dependencyValues } from './dependency-values.ts';
import type { Engine } from './engine.ts';
import { mapLimited } from './limited.ts';
import { isAccepted, observeAll } from './observe.ts';
import { recordedStack } from './recorded-stack.ts';
import { loadStates, resourceCollection, type VersionedState } from './states.ts';

/** What differs in one environment from what was applied. Holds no secret. */
interface DriftFindings {
  readonly environment: string;
  readonly checkedAt: string;
  readonly checked: number;
  /** One per resource that differs, also where everything about it is accepted. */
  readonly items: readonly DriftItem[];
}

export interface DriftItem {
  readonly address: Address;
  readonly kind: Kind;
  readonly name: string;
  /** `unknown`: it could not be read; `accepted`: nothing but what somebody has accepted. */
  readonly status: 'changed' | 'absent' | 'unknown' | 'accepted';
  readonly fields: readonly (Drift & { readonly accepted: boolean })[];
  readonly error?: string;
}

/** A plan that brings back what was applied, with the content it was made for where that has changed. */
export interface RepairPlan {
  readonly plan: Plan;
  readonly fingerprints: Readonly<Record<Address, JsonObject>>;
}

export interface DriftFinder {
  /** Reads every finished resource. What is being changed meanwhile is left out. Changes nothing. */
  find(environment: string): Promise<DriftFindings>;
  /** Undefined when there is nothing to bring back. Never replaces or deletes anything. */
  planRepair(environment: string): Promise<RepairPlan | undefined>;
  /** Records as accepted what differs now. What is gone cannot be accepted. Throws `environment_busy`. */
  accept(environment: string): Promise<DriftFindings>;
}

export interface DriftDependencies {
  readonly store: Store;
  readonly providers: ProviderRegistry;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: Random;
  readonly engine: Pick<Engine, 'exclusively'>;
  readonly secrets?: KnownSecrets;
}

const concurrency = 16;

type Looked = VersionedState & {
  readonly provider: Provider;
  readonly found: Observation | { readonly status: 'unknown'; readonly error: string };
};

export function createDriftFinder(dependencies: DriftDependencies): DriftFinder {
  const { store, providers, clock, random, engine, secrets = createKnownSecrets() } = dependencies;
  const vault = dependencies.secrets === undefined ? learningVault(dependencies.vault, secrets) : dependencies.vault;

  const look = async (environment: string): Promise<readonly Looked[]> => {
    // A second copy is on its way in or out: nobody wants it brought back.
    const states = [...(await loadStates(store, environment)).values()].filter(
      ({ state }) => state.status === 'ready' && state.id !== '' && state.copy === undefined,
    );
    const looked = await mapLimited(states, concurrency, async (versioned): Promise<readonly Looked[]> => {
      const { state } = versioned;
      const provider = providers.providerFor(state.kind, state.provider);
      if (provider === undefined) return [];
      const found = await observeAll({ clock, random, vault }, provider, state).catch((thrown: unknown) => ({
        status: 'unknown' as const,
        error: secrets.scrubError(thrown).message,
      }));
      return [{ ...versioned, provider, found }];
    });
    // What was changed while it was looked at may have been seen half done.
    const now = await loadStates(store, environment);
    return looked.flat().filter(({ state, version }) => now.get(state.address)?.version === version);
  };

  const report = (environment: string, looked: readonly Looked[]): DriftFindings => ({
    environment,
    checkedAt: timestamp(clock.now()),
    checked: looked.length,
    items: looked.flatMap((each) => itemOf(each, secrets) ?? []),
  });

  const find = async (environment: string): Promise<DriftFindings> => report(environment, await look(environment));

  return {
    find,

    planRepair: async (environment) => {
      const looked = await look(environment);
      const drifted = new Map(looked.flatMap((each) => (needsRepair(each) ? [[each.state.address, each] as const] : [])));
      if (drifted.size === 0) return undefined;
      const states = await loadStates(store, environment);
      const { stack, fingerprints: recorded } = recordedStack(
        environment,
        Array.from(states.values(), ({ state }) => state),
      );
      const renewed = await mapLimited(
        stack.blocks.filter(({ address }) => hasNewSources(drifted.get(address))),
        concurrency,
        async (block) => [block.address, (await drifted.get(block.address)?.provider.fingerprint(block, stack)) ?? {}] as const,
      );
      const fingerprints = new Map([...recorded, ...renewed]);
      const desired = stack.blocks.map((block): DesiredResource => {
        const { provider } = (states.get(block.address) as VersionedState).state;
        const values = dependencyValues(block, (address) => states.get(address)?.state, vault);
        return { block, provider, fingerprint: fingerprints.get(block.address) ?? {}, replaceFields: [], dependencyValues: values };
      });
      const plan = computePlan({
        id: newId('plan', random),
        environment,
        mode: 'apply',
        stackDigest: digestStack(stack, fingerprints),
        createdAt: timestamp(clock.now()),
        desired,
        recorded: Array.from(states.values(), (versioned) => withObservation(versioned, drifted.get(versioned.state.address))),
        problems: [],
        // Nothing is deleted: see `repairing`.
        allowDestroy: [...states.keys()],
        allowMassDestroy: true,
      });
      const changes = plan.changes.map((change) => repairing(change, drifted.has(change.address)));
      return { plan: { ...plan, changes, problems: [] }, fingerprints: Object.fromEntries(renewed) };
    },

    accept: (environment) =>
      engine.exclusively(environment, async (lease) => {
        const looked = await look(environment);
        for (const { state, version, found } of looked) {
          if (found.status !== 'present' || found.drift.length === 0) continue;
          const value = { ...state, accepted: found.drift } as unknown as JsonObject;
          await lease.transact([{ operation: 'put', collection: resourceCollection, key: state.address, value, ifVersion: version }]);
        }
        return report(environment, looked.map(afterAcceptance));
      }),
  };
}

function afterAcceptance(looked: Looked): Looked {
  const { found, state } = looked;
  return found.status === 'present' ? { ...looked, state: { ...state, accepted: found.drift } } : looked;
}

function itemOf({ state, found }: Looked, secrets: KnownSecrets): DriftItem | undefined {
  const { address, kind, name } = state;
  if (found.status === 'unknown') return { address, kind, name, status: 'unknown', fields: [], error: found.error };
  if (found.status === 'absent') return { address, kind, name, status: 'absent', fields: [] };
  const shown = ({ field, applied, observed, because }: Drift, accepted: boolean): DriftItem['fields'][number] => ({
    field,
    applied: secrets.scrubJson(applied),
    observed: secrets.scrubJson(observed),
    accepted,
    ...(because !== undefined && { because }),
  });
  const fields = [
    ...found.drift.map((each) => shown(each, isAccepted(state, each))),
    ...(found.sources ?? []).map((each) => shown(each, false)),
  ];
  if (fields.length === 0) return undefined;
  return { address, kind, name, status: fields.every(({ accepted }) => accepted) ? 'accepted' : 'changed', fields };
}

function needsRepair({ state, found }: Looked): boolean {
  if (found.status === 'absent') return true;
  if (found.status === 'unknown') return false;
  return found.drift.some((drift) => !isAccepted(state, drift)) || (found.sources ?? []).length > 0;
}

function hasNewSources(looked: Looked | undefined): boolean {
  return looked?.found.status === 'present' && (looked.found.sources ?? []).length > 0;
}

function withObservation(versioned: VersionedState, looked: Looked | undefined) {
  if (looked === undefined || looked.found.status === 'unknown') return versioned;
  const { found } = looked;
  const observation =
    found.status === 'absent' ? found : { ...found, drift: found.drift.filter((drift) => !isAccepted(versioned.state, drift)) };
  return { ...versioned, observation };
}

/** A repair touches what has drifted and leaves the rest, unfinished things included, to the next apply. */
function repairing(change: Change, drifted: boolean): Change {
  const isRepair = drifted && (change.action === 'create' || change.action === 'update');
  return isRepair ? change : { ...change, action: 'none', reason: '', fields: [], risk: 'none', downtime: false };
}
