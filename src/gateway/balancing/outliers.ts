import type { OutliersRoute } from '../routing-table.ts';
import type { Backend } from './choose.ts';
import type { Instance } from './instance.ts';

/**
 * Leaves out instances that pass their checks and fail their requests, as Envoy's outlier detection does. Beside the active checks: neither
 * ends what the other began; only who is healthy and not ejected is chosen.
 */
export interface Outliers {
  /** These are the service's releases from now on. What is known of an instance stays. */
  follow(backends: readonly Backend[], settings: OutliersRoute): void;
  /**
   * How a request to the instance ended; true when it was ejected by it. A failure is one the instance is to blame for: it could not be
   * reached, broke off, did not answer in time, or answered 500, 502, 503 or 504 (`isFailureStatus`).
   */
  report(instance: Instance, failed: boolean, now: number): boolean;
  /** Takes back whose time is over; true when there were any. To be called now and then: `now` is monotonic milliseconds. */
  expire(now: number): boolean;
}

interface Record {
  failures: number;
  /** Ejections that still count. */
  strikes: number;
  /** End of its ejection, or when it last came back; how long it has been good since takes strikes away. */
  until: number;
}

export const defaultOutliers: OutliersRoute = { consecutiveFailures: 5, ejectionMs: 10_000, maxEjectedPercent: 50 };
const longestFactor = 10;

/** Answers that tell of a sick instance. Others, 501 among them, are its considered opinion. */
export function isFailureStatus(status: number): boolean {
  return status === 500 || (status >= 502 && status <= 504);
}

/**
 * An ejection lasts as long as the first one times its number in a row, up to ten times; each such time without another takes one off the
 * number. At most `maxEjectedPercent` of a release's active instances are ejected at once, and never the last one that is ready.
 * `changed` is told after any ejection or return, and has to bring `ready` up to date.
 */
export function createOutliers(changed: (backends: readonly Backend[]) => void): Outliers {
  const records = new WeakMap<Instance, Record>();
  const ejected = new Set<Instance>();
  let backends: readonly Backend[] = [];
  let settings = defaultOutliers;

  const mayEject = (instance: Instance): boolean => {
    const backend = backends.find(({ active }) => active.includes(instance));
    if (!backend || !backend.ready.some((other) => other !== instance)) return false;
    const out = backend.active.reduce((count, each) => count + (each.ejected ? 1 : 0), 0);
    return out + 1 <= (backend.active.length * settings.maxEjectedPercent) / 100;
  };

  const eject = (instance: Instance, record: Record, now: number): void => {
    const good = settings.ejectionMs > 0 ? Math.floor(Math.max(0, now - record.until) / settings.ejectionMs) : 0;
    record.strikes = Math.min(longestFactor, Math.max(0, record.strikes - good) + 1);
    record.until = now + settings.ejectionMs * record.strikes;
    record.failures = 0;
    instance.ejected = true;
    ejected.add(instance);
    changed(backends);
  };

  return {
    follow: (next, rules) => {
      backends = next;
      settings = rules;
      const active = new Set(next.flatMap((backend) => backend.active));
      for (const instance of ejected) {
        if (active.has(instance)) continue;
        instance.ejected = false;
        ejected.delete(instance);
      }
    },
    report: (instance, failed, now) => {
      let record = records.get(instance);
      if (!failed) {
        if (record) record.failures = 0;
        return false;
      }
      if (!record) {
        record = { failures: 0, strikes: 0, until: now };
        records.set(instance, record);
      }
      record.failures += 1;
      if (instance.ejected || record.failures < settings.consecutiveFailures || !mayEject(instance)) return false;
      eject(instance, record, now);
      return true;
    },
    expire: (now) => {
      if (ejected.size === 0) return false;
      let returned = false;
      for (const instance of ejected) {
        if (now < (records.get(instance)?.until ?? now)) continue;
        instance.ejected = false;
        ejected.delete(instance);
        returned = true;
      }
      if (returned) changed(backends);
      return returned;
    },
  };
}
