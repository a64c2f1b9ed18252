import type { CountedLoad } from '../scaling/load.ts';
import { backlogAfter, flowOf } from './queueing.ts';

/** Instances behind one name of the route, and what comes to them. */
export interface LoadedBackend {
  readonly release: string;
  /** Instances that can answer. */
  readonly instances: number;
  readonly perSecond: number;
  /** Milliseconds that one request takes while nothing else is done, on average; and that it keeps one of the places of an instance. */
  readonly serviceMs: number;
  readonly occupiedMs: number;
  /** By how many times that a quantile of 0.95 takes longer. */
  readonly tail: number;
}

/** How much there is to do, as a gateway would count it, and how much slower that makes the answers. */
export interface ModelledLoad {
  /** So much time (ms) passes with this to do. */
  pass(backends: readonly LoadedBackend[], ms: number): void;
  /** How many times as long as on an idle instance answers take. */
  slowdownOf(release: string): number;
  counts(): CountedLoad;
}

interface Moment {
  readonly ms: number;
  readonly requests: number;
  readonly p95: number;
}

interface Known {
  backlog: number;
  running: number;
  waiting: number;
  slowdown: number;
  recent: readonly Moment[];
}

const windowMs = 10_000;
/** Nobody waits longer for an answer. */
const patienceMs = 60_000;

/**
 * Every instance works on `places` requests at a time; what comes beyond waits. Where the gateway holds it back (`atDoor`, at most so many),
 * it waits there, else in the instance, where it counts as running.
 */
export function createModelledLoad(options: {
  readonly service: { readonly environment: string; readonly name: string };
  readonly places: number;
  readonly atDoor?: number | undefined;
}): ModelledLoad {
  const { service, places, atDoor } = options;
  const known = new Map<string, Known>();
  const ours = { environment: service.environment, service: service.name };

  function next(backend: LoadedBackend, before: Known | undefined, ms: number): Known {
    const { instances, perSecond, serviceMs, occupiedMs, tail } = backend;
    const load = { perSecond, serviceMs: occupiedMs, places: places * instances, backlog: before?.backlog ?? 0 };
    const most = Math.min(atDoor ?? Number.POSITIVE_INFINITY, (patienceMs * load.places) / occupiedMs);
    const backlog = Math.min(most, backlogAfter(load, ms));
    const { busy, waiting, waitMs } = flowOf({ ...load, backlog });
    const slowdown = 1 + waitMs / serviceMs;
    const answered = Math.min(perSecond, (1_000 * load.places) / occupiedMs);
    const moment = { ms, requests: (answered * ms) / 1_000, p95: serviceMs * tail * slowdown };
    return {
      backlog,
      running: busy + (atDoor === undefined ? waiting : 0),
      waiting,
      slowdown,
      recent: [...(before?.recent ?? []), moment],
    };
  }

  return {
    pass(backends, ms) {
      const names = new Set(backends.map(({ release }) => release));
      for (const name of known.keys()) if (!names.has(name)) known.delete(name);
      for (const backend of backends) {
        if (backend.instances === 0) known.delete(backend.release);
        else known.set(backend.release, { ...next(backend, known.get(backend.release), ms) });
      }
      for (const each of known.values()) each.recent = within(each.recent);
    },
    slowdownOf: (release) => known.get(release)?.slowdown ?? 1,
    counts: () => ({
      releases: Array.from(known, ([release, { running }]) => ({ ...ours, release, inFlight: running })),
      queues: atDoor === undefined ? [] : [{ ...ours, queued: sum([...known.values()].map(({ waiting }) => waiting)) }],
      last10s: { releases: Array.from(known, ([release, { recent }]) => ({ ...ours, release, ...rates(recent) })) },
    }),
  };
}

function within(recent: readonly Moment[]): readonly Moment[] {
  let left = windowMs;
  return recent
    .toReversed()
    .filter(({ ms }) => {
      left -= ms;
      return left >= 0;
    })
    .toReversed();
}

/** Of times in which answers took differently long, the quantile is near the mean of theirs. */
function rates(recent: readonly Moment[]): { requestsPerSecond: number; p95?: number } {
  const requests = sum(recent.map((moment) => moment.requests));
  const seconds = sum(recent.map(({ ms }) => ms)) / 1_000;
  if (requests === 0) return { requestsPerSecond: 0 };
  return { requestsPerSecond: requests / seconds, p95: sum(recent.map((moment) => moment.requests * moment.p95)) / requests };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
