import { createHash } from 'node:crypto';
import type { Clock } from '../effects/clock.ts';
import type { Random } from '../effects/random.ts';
import type { OutputResolver } from '../engine/output-resolver.ts';
import { tailOf } from '../effects/processes.ts';
import { sluiceError, toSluiceError } from '../errors/sluice-error.ts';
import { createOutbox, type Outbox } from '../notifications/outbox.ts';
import type { Workloads } from '../providers/workloads.ts';
import type { KnownSecrets } from '../secrets/known-secrets.ts';
import type { Vault } from '../secrets/vault.ts';
import type { Store } from '../store/store.ts';
import type { EventLog } from '../telemetry/events.ts';
import { adoptInstances } from './adoption.ts';
import {
  autoscaled,
  newService,
  removed,
  restarted,
  resumed,
  scaled,
  suspended,
  withDesired,
  type DesiredService,
} from './desired-state.ts';
import { createRolloutMessages } from './messages/rollout-messages.ts';
import { type Asker, once } from './once.ts';
import { operated, type RolloutAction } from './operate.ts';
import { createProber } from './prober.ts';
import { createReconcileQueue } from './reconcile-queue.ts';
import { createServiceReconciler } from './reconcile-service.ts';
import { resync } from './resync.ts';
import { rolloutEvent } from './rollout-outcome.ts';
import { isPublishedAsDeclared } from './service-route.ts';
import { recorded } from './rollout-record.ts';
import { createServiceDocuments, serviceKey } from './service-documents.ts';
import type { FlagCounts, RolloutRecord, ServiceState } from './service-state.ts';
import { createMeasure, type Measure } from './sources/measure.ts';
import { servingOf, settlementOf, statusOf, type ServiceStatus, type Settlement } from './service-status.ts';
import { stopPatienceMs, waitForSettlement } from './settlement-wait.ts';
import type { Traffic } from './traffic.ts';
import { begunOf, endOf } from './under-way.ts';

export interface ServiceControllerDependencies {
  readonly store: Store;
  readonly vault: Vault;
  readonly workloads: Workloads;
  readonly traffic: Traffic;
  readonly resolver: OutputResolver;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  /** Where instances ask for flags; undefined for nowhere. */
  readonly evaluationUrl?: () => string | undefined;
  /** Where messages go that are written with transitions; one over the store unless it is shared with whoever delivers. */
  readonly outbox?: Outbox;
  /** Takes known secrets out of words that come from elsewhere before they are kept; nothing unless told otherwise. */
  readonly secrets?: Pick<KnownSecrets, 'scrub'>;
  /** Asks a source of evidence; over the network and by processes unless told otherwise. */
  readonly measure?: Measure;
  /** Reads the end of an instance's log; from its file unless told otherwise. */
  readonly tailOf?: (file: string, bytes: number) => Promise<string>;
}

/** Keeps every service as it should be. Addresses are `environment/service/name`. Throws only SluiceErrors. */
export interface ServiceController {
  /** Adopts what runs, ends what belongs to no service, and looks after every service from then on. */
  start(): Promise<void>;
  /** Stops looking after services; their instances go on running. */
  stop(): Promise<void>;
  /** Records what a service is to be, and sets about it. Returns the state it starts from. */
  setDesired(desired: DesiredService): Promise<ServiceState>;
  /** Drains and stops every instance, then removes route and document. Success when there is no such service. */
  remove(address: string): Promise<void>;
  /** Drains and stops every instance; the service stays, answering 503. */
  suspend(address: string): Promise<void>;
  resume(address: string): Promise<void>;
  /** Throws `unknown_service`, as the following do. */
  scale(address: string, replicas: number): Promise<void>;
  /** As load has decided, and why; nothing happens when the number is another one meanwhile. */
  autoscale(address: string, change: { readonly from: number; readonly to: number; readonly why: string }): Promise<void>;
  /** Every stored state. */
  states(): Promise<readonly ServiceState[]>;
  /** Replaces every instance by one of the same release, without losing a request. */
  restart(address: string): Promise<void>;
  /** What people do to a rollout: see `operated` and `once` for what it throws. */
  operate(address: string, action: RolloutAction, who: Asker): Promise<ServiceState>;
  /** Has the gateway count for a flag, or no longer. Nothing happens when the service is not there. */
  countFlag(address: string, counts: FlagCounts | undefined): Promise<void>;
  /** Whether the gateway is known to treat and count requests as it is stored. */
  isPublished(address: string): Promise<boolean>;
  /** Every rollout of the service, the latest first. Throws `unknown_service`. */
  rollouts(address: string): Promise<readonly RolloutRecord[]>;
  /** Has the service looked at again: something it waits for may have come. */
  look(address: string): void;
  describe(address: string): Promise<ServiceStatus | undefined>;
  list(environment?: string): Promise<readonly ServiceStatus[]>;
  /** Milliseconds that suspending all services, one after the other, may take at most. */
  stopTimeMs(): Promise<number>;
  /** The stored state, for the provider that compares it with what it applied. */
  stateOf(address: string): Promise<ServiceState | undefined>;
  /**
   * Resolves when the service has come to rest, however, or comes no nearer to it in all the time it may take; `progress` gets a line
   * whenever it comes nearer. Throws `rollout_wait_cancelled`, and `service_does_not_stop` for one that is to stop.
   */
  waitFor(address: string, signal: AbortSignal, progress: (line: string) => void): Promise<Settlement>;
  /** As `waitFor`, but no longer than until a rollout is under way: see `isUnderWay`. */
  waitUntilBegun(
    address: string,
    signal: AbortSignal,
    progress: (line: string) => void,
    options: { readonly isAwaited: boolean },
  ): Promise<Settlement>;
  /** As `waitFor`, but for the end of one generation, which another may supersede. */
  waitForEnd(address: string, generation: number, signal: AbortSignal, progress: (line: string) => void): Promise<Settlement>;
  /** As `waitFor`, but no longer than until its stable release answers in full: a rollout may take days. */
  waitUntilServing(address: string, signal: AbortSignal): Promise<Settlement>;
}

export function createServiceController(dependencies: ServiceControllerDependencies): ServiceController {
  const { store, vault, workloads, traffic, resolver, events, clock, random } = dependencies;
  const messages = createRolloutMessages({ outbox: dependencies.outbox ?? createOutbox(store), clock });
  const documents = createServiceDocuments(store, messages);
  const ownerOf = new Map<string, string>();
  const watchers = new Set<(key: string) => void>();
  const stopping = new AbortController();
  /** Why the last pass over a service failed, while it does. */
  const troubles = new Map<string, string>();
  let unsubscribe: (() => void) | undefined;

  const wakeOwner = (id: string): void => {
    const key = ownerOf.get(id);
    if (key !== undefined) queue.wake(key);
  };
  const prober = createProber({ workloads, clock, changed: wakeOwner });
  const { secrets = { scrub: (text: string) => text } } = dependencies;
  const measure = createMeasure({ resolver, stopping: stopping.signal, secrets });
  const reconciler = createServiceReconciler({
    measure,
    ...dependencies,
    tailOf: async (file, bytes) => secrets.scrub(await (dependencies.tailOf ?? tailOf)(file, bytes)),
    documents,
    prober,
    own,
    answersOf: (state) => messages.answersOf(state),
    wake: (key) => queue.wake(key),
  });
  const queue = createReconcileQueue({
    clock,
    random,
    async reconcile(key) {
      try {
        const next = await reconciler.reconcile(key);
        troubles.delete(key);
        return next;
      } finally {
        for (const watcher of watchers) watcher(key);
      }
    },
    // The pass is repeated after a pause; until it succeeds, the service's status says what it fails at.
    onError: (key, error) => troubles.set(key, toSluiceError(error).message),
  });

  function own(key: string, instances: readonly string[]): void {
    for (const [id, owner] of ownerOf) if (owner === key && !instances.includes(id)) ownerOf.delete(id);
    for (const id of instances) ownerOf.set(id, key);
  }

  /** Applies a change to a service that has to exist, and wakes its worker. */
  async function alter(
    address: string,
    change: (state: ServiceState) => ServiceState | undefined,
    who?: { readonly by?: string; readonly why?: string | undefined },
  ): Promise<ServiceState> {
    const key = serviceKey(address);
    const state = await documents.change(key, (current) => {
      const next = current && change(current);
      return next && recorded(current, next, clock.now(), who);
    });
    if (!state) throw sluiceError('unknown_service', { address });
    queue.wake(key);
    return state;
  }

  async function alterIfPresent(address: string, change: (state: ServiceState) => ServiceState): Promise<void> {
    const key = serviceKey(address);
    await documents.change(key, (current) => current && change(current));
    queue.wake(key);
  }

  function newIdentity(): Pick<ServiceState, 'uid' | 'token'> {
    const token = Buffer.from(random.bytes(32)).toString('base64url');
    return {
      uid: Buffer.from(random.bytes(3)).toString('hex'),
      token: { sealed: vault.seal(token), digest: createHash('sha256').update(token).digest('hex') },
    };
  }

  async function tell(state: ServiceState, type: 'service.scaled' | 'service.restarted', message: string): Promise<void> {
    const { environment, address } = state;
    await events.publish({ type, level: 'info', message, environment, address });
  }

  async function view(state: ServiceState): Promise<ServiceStatus> {
    const publicUrl = state.settings.expose.length > 0 ? await traffic.publicUrl(state.environment).catch(() => undefined) : undefined;
    const status = statusOf(state, publicUrl, clock.now());
    const trouble = troubles.get(serviceKey(state.address));
    return trouble === undefined || status.message !== undefined ? status : { ...status, message: trouble };
  }

  return {
    async start() {
      const adopted = await adoptInstances({ workloads, documents, events, signal: stopping.signal, clock });
      for (const [id, key] of adopted.owners) ownerOf.set(id, key);
      unsubscribe = workloads.onExit(wakeOwner);
      for (const key of adopted.keys) queue.wake(key);
      void resync({ clock, signal: stopping.signal, keys: () => documents.keys(), wake: (key) => queue.wake(key) });
    },

    async stop() {
      stopping.abort();
      unsubscribe?.();
      prober.stop();
      await queue.stop();
      prober.stop();
    },

    async setDesired(desired) {
      const key = serviceKey(desired.address);
      const identity = newIdentity();
      let before: ServiceState | undefined;
      const state = await documents.change(key, (current) => {
        before = current;
        const now = clock.now();
        return recorded(current, current ? withDesired(current, desired, now) : newService(desired, identity, now), now, desired);
      });
      if (!state) throw sluiceError('service_state_conflict', { address: desired.address });
      if (state.candidate && state.candidate.generation !== before?.candidate?.generation) {
        const because = state.rollouts?.[0]?.because;
        const what = `is being rolled out${because === undefined ? '' : `: ${because}`}`;
        await events.publish(rolloutEvent(state, state.candidate.generation, 'rollout.started', what));
      }
      queue.wake(key);
      return state;
    },

    countFlag: (address, counts) =>
      alterIfPresent(address, (current) => {
        const { flagCounts: _, ...state } = current;
        return counts === undefined ? state : { ...state, flagCounts: counts };
      }),
    remove: (address) => alterIfPresent(address, (state) => recorded(state, removed(state), clock.now())),
    suspend: (address) => alterIfPresent(address, suspended),
    resume: (address) => alterIfPresent(address, (state) => resumed(state, clock.now())),

    async scale(address, replicas) {
      const state = await alter(address, (current) => scaled(current, replicas, clock.now()));
      await tell(state, 'service.scaled', `${state.name} is scaled to ${replicas} ${replicas === 1 ? 'instance' : 'instances'}`);
    },

    async autoscale(address, { from, to, why }) {
      let isDone = false;
      const state = await alter(address, (current) => {
        const next = autoscaled(current, { from, to }, clock.now());
        isDone = next !== undefined;
        return next ?? current;
      });
      if (isDone) await tell(state, 'service.scaled', `${state.name} is scaled from ${from} to ${state.replicas}: ${why}`);
    },

    states: () => documents.list(),

    async restart(address) {
      const state = await alter(address, (current) => restarted(current, clock.now()));
      await tell(state, 'service.restarted', `${state.name} is being restarted`);
    },

    async operate(address, action, who) {
      // What is given as a reason is shown and sent to others.
      const by = who.why === undefined ? who.by : `${who.by}: ${secrets.scrub(who.why)}`;
      let isNew = false;
      const change = (current: ServiceState): ServiceState => {
        isNew = false;
        return once(current, who, action, (before) => {
          const next = operated(before, action, by, clock.now());
          isNew = next !== before;
          return next;
        });
      };
      const state = await alter(address, change, who);
      if (!isNew) return state;
      const { environment } = state;
      const message = `${state.name}: ${action.type} by ${by}`;
      await events.publish({ type: 'rollout.operated', level: 'info', message, environment, address: state.address });
      return state;
    },

    look: (address) => {
      // Before it looks after services it looks at none; then it looks at all.
      if (unsubscribe) queue.wake(serviceKey(address));
    },

    async describe(address) {
      const document = await documents.read(serviceKey(address));
      return document && view(document.state);
    },

    async isPublished(address) {
      const key = serviceKey(address);
      const document = await documents.read(key);
      return document !== undefined && isPublishedAsDeclared(reconciler.publishedOf(key), document.state);
    },

    async rollouts(address) {
      const document = await documents.read(serviceKey(address));
      if (!document) throw sluiceError('unknown_service', { address });
      return document.state.rollouts ?? [];
    },

    list: async (environment) => Promise.all((await documents.list(environment)).map(view)),
    stopTimeMs: async () => (await documents.list()).reduce((sum, { settings }) => sum + stopPatienceMs(settings), 0),
    stateOf: async (address) => (await documents.read(serviceKey(address)))?.state,

    waitFor: (address, signal, progress) => wait(address, signal, progress, settlementOf),
    waitUntilBegun: (address, signal, progress, { isAwaited }) => wait(address, signal, progress, begunOf(isAwaited)),
    waitForEnd: (address, generation, signal, progress) => wait(address, signal, progress, endOf(generation)),
    waitUntilServing: (address, signal) => wait(address, signal, () => undefined, servingOf),
  };

  function wait(address: string, signal: AbortSignal, progress: (line: string) => void, judge: typeof settlementOf): Promise<Settlement> {
    const key = serviceKey(address);
    return waitForSettlement({
      address,
      signal,
      progress,
      clock,
      read: async () => (await documents.read(key))?.state,
      settle: (state) => judge(state, reconciler.publishedOf(key)),
      trouble: () => troubles.get(key),
      watch(changed) {
        const watcher = (other: string): void => {
          if (other === key) changed();
        };
        watchers.add(watcher);
        return () => watchers.delete(watcher);
      },
    });
  }
}
