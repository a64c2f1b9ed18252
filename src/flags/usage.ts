import { z } from 'zod';

/**
 * How a flag was used: a document of the collection `flag-usage`, keyed `environment/name`. Bounded: at most `usesKept` combinations of
 * release and variant, the longest unused ones go into `others`.
 */
export const flagUsage = z.object({
  since: z.number(),
  uses: z.array(
    z.object({
      /** Absent where an API key asked. */
      service: z.string().optional(),
      release: z.string().optional(),
      variant: z.string(),
      /** Evaluations of this flag by itself. */
      evaluations: z.number(),
      /** Times it was fetched with all others, whether or not anybody needed it. */
      fetches: z.number(),
      lastAt: z.number(),
    }),
  ),
  others: z.number(),
  /** Evaluations that ended with an error, such as a split without a user. */
  errors: z.number(),
  /** When a variant was last served, and when a rule last decided. */
  variants: z.record(z.string(), z.number()),
  matched: z.record(z.string(), z.number()),
});
export type FlagUsage = z.infer<typeof flagUsage>;
type FlagUse = FlagUsage['uses'][number];

/** One evaluation as it is counted. */
export interface CountedEvaluation {
  readonly service?: string | undefined;
  readonly release?: string | undefined;
  /** Absent when it ended with an error. */
  readonly served?: { readonly variant: string; readonly matched: string };
  readonly as: 'evaluation' | 'fetch';
}

export const usesKept = 100;

export function noUsage(now: number): FlagUsage {
  return { since: now, uses: [], others: 0, errors: 0, variants: {}, matched: {} };
}

/** Pure, and the same in any order but for what the bound has folded together. */
export function merged(left: FlagUsage, right: FlagUsage): FlagUsage {
  const uses = new Map<string, FlagUse>();
  for (const use of [...left.uses, ...right.uses]) {
    const key = JSON.stringify([use.service, use.release, use.variant]);
    const known = uses.get(key);
    uses.set(
      key,
      known === undefined
        ? use
        : {
            ...use,
            evaluations: known.evaluations + use.evaluations,
            fetches: known.fetches + use.fetches,
            lastAt: Math.max(known.lastAt, use.lastAt),
          },
    );
  }
  const newest = [...uses.values()].toSorted((one, other) => other.lastAt - one.lastAt);
  const folded = newest.slice(usesKept).reduce((sum, { evaluations, fetches }) => sum + evaluations + fetches, 0);
  return {
    since: Math.min(left.since, right.since),
    uses: newest.slice(0, usesKept),
    others: left.others + right.others + folded,
    errors: left.errors + right.errors,
    variants: latest(left.variants, right.variants),
    matched: latest(left.matched, right.matched),
  };
}

function latest(left: Readonly<Record<string, number>>, right: Readonly<Record<string, number>>): Record<string, number> {
  const times = new Map(Object.entries(left));
  for (const [name, time] of Object.entries(right)) times.set(name, Math.max(times.get(name) ?? 0, time));
  return Object.fromEntries(times);
}
