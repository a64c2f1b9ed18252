import { jsonEquals, type Json } from '../digest/json.ts';
import type { Clock } from '../effects/clock.ts';
import { execute, type ExecutionPorts } from './execute.ts';
import { scrub, secretValues } from './instance-spec.ts';
import type { HookAnswers } from './hooks/hook.ts';
import { observe } from './observe.ts';
import type { Prober } from './prober.ts';
import { newServiceMemory, noteLook, trimMemory, type ServiceMemory } from './service-memory.ts';
import { recorded } from './rollout-record.ts';
import { revisionOf, type ServiceState } from './service-state.ts';
import { withoutFuture } from './set-back-clock.ts';
import { leapBetween, type LookedAt, withoutLeap } from './set-forward-clock.ts';
import { strategyFor } from './strategies.ts';

/** A pass that has not come to rest after so many steps makes way for the others. */
const stepsPerPass = 100;
const logTailBytes = 4_000;

export interface ReconcilePorts extends ExecutionPorts {
  readonly prober: Prober;
  /** These are all instances of the service now: what happens to one of them is the service's concern. */
  readonly own: (key: string, instances: readonly string[]) => void;
  /** How the hooks of the rollout under way were answered. */
  readonly answersOf: (state: ServiceState) => Promise<HookAnswers | undefined>;
  /** The last bytes of an instance's log; empty when there is none. */
  readonly tailOf: (file: string, bytes: number) => Promise<string>;
}

export interface ServiceReconciler {
  /** Brings one service nearer to its desired state; resolves with the time to look again. */
  reconcile(key: string): Promise<number | undefined>;
  /** The last route the gateway has acknowledged from this controller. */
  publishedOf(key: string): ServiceMemory['published'];
}

/**
 * One pass over one service: read, observe, decide, write the decision, carry it out; again until nothing is left to do at this
 * moment. All decisions are the strategy's; all memory is a convenience.
 */
export function createServiceReconciler(ports: ReconcilePorts): ServiceReconciler {
  const memories = new Map<string, ServiceMemory>();

  async function reconcile(key: string): Promise<number | undefined> {
    for (let step = 0; step < stepsPerPass; step += 1) {
      const document = await ports.documents.read(key);
      if (!document) {
        memories.delete(key);
        ports.own(key, []);
        return undefined;
      }
      const memory = memories.get(key) ?? newServiceMemory(ports.clock.now());
      memories.set(key, memory);
      noteLook(memory, ports.clock.now());
      const before = document.state;
      const given = withoutFuture(withTimeOf(before, memory), ports.clock.now());
      const observation = await observe(given, memory, ports);
      const result = strategyFor(given)(given, observation, ports.clock.now());
      const state = recorded(before, await withFailureLog(before, result.state), ports.clock.now());
      const changed = !jsonEquals(before as unknown as Json, state as unknown as Json);
      if (changed && !(await ports.documents.replace(key, document, state))) continue;
      // Not before what came of a leap is durable.
      memory.lookedAt = momentOf(ports.clock);
      const ids = state.instances.map(({ id }) => id);
      trimMemory(memory, new Set(ids));
      ports.own(key, ids);
      const acted = await execute(key, state, result.commands, memory, ports);
      if (changed || acted) continue;
      memory.dueAt = result.wakeAt ?? Number.POSITIVE_INFINITY;
      return result.wakeAt;
    }
    return ports.clock.now() + 50;
  }

  /** As if nobody had set the clock forward since it was looked at last. */
  function withTimeOf(state: ServiceState, { lookedAt }: ServiceMemory): ServiceState {
    return lookedAt === undefined ? state : withoutLeap(state, lookedAt.now, leapBetween(lookedAt, momentOf(ports.clock)));
  }

  /** The log is read before the failed instance and its log are removed, and stored without the secrets it may show. */
  async function withFailureLog(before: ServiceState, after: ServiceState): Promise<ServiceState> {
    const { failure } = after;
    if (!failure || failure.generation === before.failure?.generation || failure.instance === undefined) return after;
    const file = await ports.workloads.list().then((all) => all.find(({ id }) => id === failure.instance)?.logFile);
    const revision = revisionOf(after, failure.generation);
    if (file === undefined || !revision) return after;
    const text = await ports.tailOf(file, logTailBytes);
    const values = await secretValues(after, revision, ports).catch(() => undefined);
    const log = values === undefined ? '' : scrub(text, values).trim();
    return { ...after, failure: { ...failure, log } };
  }

  return { reconcile, publishedOf: (key) => memories.get(key)?.published };
}

function momentOf(clock: Clock): LookedAt {
  return { now: clock.now(), monotonic: clock.monotonic() };
}
