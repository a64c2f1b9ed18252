import type { FlagRecord } from './flag.ts';
import type { FlagUsage } from './usage.ts';

const dayMs = 86_400_000;
/** A flag nobody has evaluated for so long can go. */
const unusedDays = 14;
/** A flag that has served everybody the same for so long is no switch any more. */
const uniformDays = 30;

/**
 * Why a flag can probably go from the stack and from the code; empty for one that is in use. Pure. `now` in milliseconds; a flag is
 * given its time from its last change on, and counts from the day they began.
 */
export function staleness(record: FlagRecord, usage: FlagUsage | undefined, now: number): readonly string[] {
  const changedAt = Date.parse(record.changedAt);
  const evaluatedAt = Math.max(0, ...Object.values(usage?.variants ?? {}));
  if (evaluatedAt === 0) return olderThan(changedAt, unusedDays, now) ? [`never evaluated in ${days(changedAt, now)} days`] : [];
  if (olderThan(Math.max(changedAt, evaluatedAt), unusedDays, now)) return [`not evaluated for ${days(evaluatedAt, now)} days`];
  if (!olderThan(Math.max(changedAt, usage?.since ?? now), uniformDays, now)) return [];
  return [...uniform(usage, now), ...deadRules(record, usage, now)];
}

function uniform(usage: FlagUsage | undefined, now: number): readonly string[] {
  const recent = Object.entries(usage?.variants ?? {}).filter(([, at]) => !olderThan(at, uniformDays, now));
  return recent.length === 1 ? [`'${recent[0]?.[0]}' for everybody for ${uniformDays} days`] : [];
}

function deadRules({ definition: { rules }, override }: FlagRecord, usage: FlagUsage | undefined, now: number): readonly string[] {
  if (override !== undefined || rules.length === 0) return [];
  const alive = rules.some((_, index) => !olderThan(usage?.matched[String(index + 1)] ?? 0, uniformDays, now));
  return alive ? [] : [`no rule held for anybody for ${uniformDays} days`];
}

function olderThan(time: number, limit: number, now: number): boolean {
  return now - time >= limit * dayMs;
}

function days(since: number, now: number): number {
  return Math.floor((now - since) / dayMs);
}
