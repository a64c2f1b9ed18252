import type { Random } from '../../effects/random.ts';
import type { Meter } from '../measuring/meter.ts';
import type { Instance } from './instance.ts';

/** A release as the balancer sees it. `ready` holds those of `active` that are healthy and not ejected; both change in place. */
export interface Backend {
  readonly release: string;
  readonly weight: number;
  readonly slot?: { readonly index: number; readonly of: number } | undefined;
  readonly active: readonly Instance[];
  ready: readonly Instance[];
  readonly meter?: Meter;
  /** Requests one instance works on at a time: one at its limit is not chosen while another is below it. */
  readonly concurrency?: number;
  /** An instance that became ready gets a tenth of its share, and linearly more until it has all of it after so long. */
  readonly slowStartMs?: number;
}

const noneTried: readonly Instance[] = [];
/** Share with which a slow start begins, as Envoy's `min_weight_percent`. */
const firstShare = 0.1;

/**
 * The instance for one request. First the release, by weight, among those with weight above zero that have a ready instance; then, among
 * its ready instances, the less loaded of two drawn at random (power of two choices, Mitzenmacher 2001). With no ready instance anywhere
 * the least bad is tried rather than nothing: health checks can be wrong, a refusal is certain. Never one of `tried`. Undefined when no
 * release with weight has an (untried) active instance. `now` is monotonic milliseconds; without it nothing is held back by a slow start.
 */
export function chooseInstance(
  backends: readonly Backend[],
  random: Random,
  tried: readonly Instance[] = noneTried,
  now?: number,
): Instance | undefined {
  return drawWeighted(backends, random, tried, readyOf, now) ?? drawWeighted(backends, random, tried, activeOf, now);
}

/**
 * As `chooseInstance`, of the release the request was assigned to while that has a ready instance, of another one while it has none; of the
 * assigned one again when nothing is ready anywhere. A release without weight, assigned by a tester, is no exception.
 */
export function chooseAssigned(
  assigned: Backend,
  backends: readonly Backend[],
  random: Random,
  tried: readonly Instance[] = noneTried,
  now?: number,
): Instance | undefined {
  return (
    lessLoadedOfTwo(assigned, assigned.ready, random, tried, now) ??
    drawWeighted(backends, random, tried, readyOf, now) ??
    lessLoadedOfTwo(assigned, assigned.active, random, tried, now) ??
    drawWeighted(backends, random, tried, activeOf, now)
  );
}

type Candidates = (backend: Backend) => readonly Instance[];
const readyOf: Candidates = (backend) => backend.ready;
const activeOf: Candidates = (backend) => backend.active;

function drawWeighted(
  backends: readonly Backend[],
  random: Random,
  tried: readonly Instance[],
  of: Candidates,
  now: number | undefined,
): Instance | undefined {
  let total = 0;
  for (const backend of backends) if (hasUntried(of(backend), tried)) total += backend.weight;
  if (total <= 0) return undefined;
  let point = random.next() * total;
  let last: Backend | undefined;
  for (const backend of backends) {
    if (backend.weight <= 0 || !hasUntried(of(backend), tried)) continue;
    last = backend;
    point -= backend.weight;
    if (point < 0) break;
  }
  return last && lessLoadedOfTwo(last, of(last), random, tried, now);
}

function hasUntried(instances: readonly Instance[], tried: readonly Instance[]): boolean {
  return tried.length === 0 ? instances.length > 0 : instances.some((instance) => !tried.includes(instance));
}

function lessLoadedOfTwo(
  backend: Backend,
  instances: readonly Instance[],
  random: Random,
  tried: readonly Instance[],
  now: number | undefined,
): Instance | undefined {
  const pool = tried.length === 0 ? instances : instances.filter((instance) => !tried.includes(instance));
  if (pool.length < 2) return pool[0];
  const first = Math.floor(random.next() * pool.length);
  // The second draw skips the first, so that the two always differ.
  const second = (first + 1 + Math.floor(random.next() * (pool.length - 1))) % pool.length;
  let chosen = pool[first] as Instance;
  let other = pool[second] as Instance;
  if (other.inFlight < chosen.inFlight) [chosen, other] = [other, chosen];
  if (now !== undefined && backend.slowStartMs !== undefined && isHeldBack(chosen, backend.slowStartMs, random, now)) chosen = other;
  const { concurrency } = backend;
  return concurrency === undefined || chosen.inFlight < concurrency ? chosen : (belowLimit(pool, first, concurrency) ?? chosen);
}

/** True with the chance by which its share is still short of the full one. The slow start begins with the first choice it is part of. */
function isHeldBack(instance: Instance, slowStartMs: number, random: Random, now: number): boolean {
  instance.rampingSince ??= now;
  const progress = (now - instance.rampingSince) / slowStartMs;
  return progress < 1 && random.next() >= firstShare + (1 - firstShare) * progress;
}

function belowLimit(pool: readonly Instance[], from: number, concurrency: number): Instance | undefined {
  for (let step = 0; step < pool.length; step += 1) {
    const instance = pool[(from + step) % pool.length] as Instance;
    if (instance.inFlight < concurrency) return instance;
  }
  return undefined;
}
