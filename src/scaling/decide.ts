/** How many instances a service may have, and what the number is chosen for. */
export interface Scale {
  readonly min: number;
  readonly max: number;
  /** Milliseconds that 95 of 100 requests are to stay below. */
  readonly latencyMs?: number | undefined;
  /** Waiting requests per instance. */
  readonly queueDepth?: number | undefined;
  /** Running requests per instance. */
  readonly concurrency?: number | undefined;
}

/** What a service has to do at a moment. Averages over releases would hide an overloaded candidate, so each counts by itself. */
export interface Load {
  /** Instances that are wanted now. */
  readonly replicas: number;
  readonly isRollingOut: boolean;
  /** Id of the stable release; another one may carry more or less. */
  readonly release: string;
  /** Releases that get requests. */
  readonly releases: readonly {
    readonly ready: number;
    readonly running: number;
    /** Requests that were answered each second. */
    readonly perSecond: number;
    /** Milliseconds over the last seconds; undefined when nothing was answered. */
    readonly p95?: number | undefined;
  }[];
  /** Requests that wait at the door of the service. */
  readonly queued: number;
}

/** What was learnt by earlier looks. Forgetting it costs some time and nothing else. */
export interface ScaleMemory {
  readonly release: string;
  /** Requests that are answered each second, smoothed over some seconds. */
  readonly perSecond: number;
  /** Requests that run at a time in an instance of the busiest release, smoothed likewise. */
  readonly busiest: number;
  /** Requests per second and instance at which a target was missed: so many are too many. Unlike those that run, they do not grow with the wait. */
  readonly tooMany?: number | undefined;
  /** Since when every target has been met with room to spare. */
  readonly quietSince?: number | undefined;
  readonly changedAt?: number | undefined;
  readonly lookedAt: number;
}

export interface ScaleDecision {
  readonly replicas: number;
  /** `latency p95 410 ms over 250 ms`; only of a change. */
  readonly why?: string;
  readonly memory: ScaleMemory;
}

/** A target may be missed by so much before anything is done: what is within it is noise. */
const tolerated = 1.1;
/** A target counts as met with room to spare below this share of it. */
const comfortable = 0.8;
/** At most twice as many at once: latency does not say how many are missing. */
const steepest = 2;
/** What is measured covers the last ten seconds: a change has to be in it before the next is decided on. */
const settleMs = 15_000;
/** Instances are taken away one at a time, and only after this long without need of them. */
const quietMs = 60_000;
const smoothingMs = 5_000;

/**
 * How many instances a service is to have: pure. More as soon as a target is missed, in proportion to how far; one fewer when all were met
 * with room for a while, and as many requests as each would then get are not known to be too many. That knowledge makes constant
 * load come to rest: a number that was too small once is not tried again with the same release. During a rollout it only grows.
 */
export function decide(scale: Scale, load: Load, known: ScaleMemory | undefined, now: number): ScaleDecision {
  const memory = look(load, known, now);
  const { replicas } = load;
  const to = (wanted: number, why: string, learnt: ScaleMemory): ScaleDecision => {
    const bounded = Math.min(scale.max, Math.max(scale.min, wanted));
    if (bounded === replicas) return { replicas, memory: learnt };
    return { replicas: bounded, why, memory: { ...learnt, changedAt: now, quietSince: undefined } };
  };
  if (replicas < scale.min || replicas > scale.max) return to(replicas, `between ${scale.min} and ${scale.max}`, memory);
  const ready = load.releases.reduce((sum, release) => sum + release.ready, 0);
  if (ready < replicas || (memory.changedAt !== undefined && now < memory.changedAt + settleMs)) return { replicas, memory };
  const pressures = pressuresOf(scale, load, memory);
  const worst = pressures.reduce((one, other) => (other.ratio > one.ratio ? other : one), { ratio: 0, why: '' });
  const each = memory.perSecond / Math.max(1, replicas);
  if (worst.ratio > tolerated) {
    const learnt: ScaleMemory = { ...memory, quietSince: undefined, tooMany: Math.min(each, memory.tooMany ?? each) };
    return to(Math.ceil(replicas * Math.min(worst.ratio, steepest)), worst.why, learnt);
  }
  if (worst.ratio > comfortable) return { replicas, memory: { ...memory, quietSince: undefined } };
  // It carries more than was once too much: what was learnt then is no longer so.
  const tooMany = memory.tooMany !== undefined && each > memory.tooMany ? undefined : memory.tooMany;
  const quietSince = memory.quietSince ?? now;
  const quiet: ScaleMemory = { ...memory, tooMany, quietSince };
  const isLongQuiet = now >= quietSince + quietMs && (memory.changedAt === undefined || now >= memory.changedAt + quietMs);
  if (!isLongQuiet || load.isRollingOut || !fewerSuffice(scale, load, quiet)) return { replicas, memory: quiet };
  return to(replicas - 1, 'there was room to spare for a minute', quiet);
}

function look({ release, releases }: Load, known: ScaleMemory | undefined, now: number): ScaleMemory {
  const perSecond = releases.reduce((sum, each) => sum + each.perSecond, 0);
  const busiest = Math.max(0, ...releases.map((each) => each.running / Math.max(1, each.ready)));
  if (!known) return { release, perSecond, busiest, lookedAt: now };
  const weight = 1 - Math.exp(-Math.max(0, now - known.lookedAt) / smoothingMs);
  const smooth = (before: number, seen: number): number => before + weight * (seen - before);
  // What is known of one release says nothing about another.
  const { tooMany, quietSince, ...rest } = known;
  return {
    ...rest,
    ...(known.release === release && { tooMany, quietSince }),
    release,
    perSecond: smooth(known.perSecond, perSecond),
    busiest: smooth(known.busiest, busiest),
    lookedAt: now,
  };
}

interface Pressure {
  /** How many times the target. */
  readonly ratio: number;
  readonly why: string;
}

function pressuresOf(scale: Scale, load: Load, memory: ScaleMemory): readonly Pressure[] {
  const found: Pressure[] = [];
  const { latencyMs, queueDepth, concurrency } = scale;
  const slowest = Math.max(0, ...load.releases.map(({ p95 = 0 }) => p95));
  const waiting = load.queued / Math.max(1, load.replicas);
  if (latencyMs !== undefined)
    found.push({ ratio: slowest / latencyMs, why: `latency p95 ${Math.round(slowest)} ms over ${latencyMs} ms` });
  if (queueDepth !== undefined)
    found.push({ ratio: waiting / queueDepth, why: `${plain(waiting)} waiting per instance over ${queueDepth}` });
  if (concurrency !== undefined) {
    found.push({ ratio: memory.busiest / concurrency, why: `${plain(memory.busiest)} running per instance over ${concurrency}` });
  }
  return found;
}

function fewerSuffice({ concurrency }: Scale, { replicas, releases }: Load, { perSecond, tooMany }: ScaleMemory): boolean {
  const fewer = Math.max(1, replicas - 1);
  const running = releases.reduce((sum, each) => sum + each.running, 0);
  if (concurrency !== undefined && running / fewer > concurrency) return false;
  return tooMany === undefined || perSecond / fewer < comfortable * tooMany;
}

function plain(value: number): string {
  return String(Number(value.toPrecision(3)));
}
