import type { Random } from '../../effects/random.ts';
import type { Meter } from '../measuring/meter.ts';
import type { Instance } from './instance.ts';

/** A release as the balancer sees it. `ready` holds the healthy ones of `active`; both change in place. */
export interface Backend {
  readonly release: string;
  readonly weight: number;
  readonly active: readonly Instance[];
  ready: readonly Instance[];
  readonly meter?: Meter;
}

/**
 * The instance for one request. First the release, by weight, among those with weight above zero that have a ready instance; then, among
 * its ready instances, the less loaded of two drawn at random (power of two choices, Mitzenmacher 2001). With no ready instance anywhere
 * the least bad is tried rather than nothing: health checks can be wrong, a refusal is certain. Never one of `tried`. Undefined when no
 * release with weight has an (untried) active instance.
 */
export function chooseInstance(backends: readonly Backend[], random: Random, tried: readonly Instance[] = []): Instance | undefined {
  return drawWeighted(backends, random, tried, readyOf) ?? drawWeighted(backends, random, tried, activeOf);
}

type Candidates = (backend: Backend) => readonly Instance[];
const readyOf: Candidates = (backend) => backend.ready;
const activeOf: Candidates = (backend) => backend.active;

function drawWeighted(backends: readonly Backend[], random: Random, tried: readonly Instance[], of: Candidates): Instance | undefined {
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
  return last && lessLoadedOfTwo(of(last), random, tried);
}

function hasUntried(instances: readonly Instance[], tried: readonly Instance[]): boolean {
  return tried.length === 0 ? instances.length > 0 : instances.some((instance) => !tried.includes(instance));
}

function lessLoadedOfTwo(instances: readonly Instance[], random: Random, tried: readonly Instance[]): Instance | undefined {
  const pool = tried.length === 0 ? instances : instances.filter((instance) => !tried.includes(instance));
  if (pool.length < 2) return pool[0];
  const first = Math.floor(random.next() * pool.length);
  // The second draw skips the first, so that the two always differ.
  const second = (first + 1 + Math.floor(random.next() * (pool.length - 1))) % pool.length;
  const one = pool[first] as Instance;
  const other = pool[second] as Instance;
  return other.inFlight < one.inFlight ? other : one;
}
