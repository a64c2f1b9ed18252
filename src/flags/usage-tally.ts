import { type CountedEvaluation, type FlagUsage, merged, noUsage } from './usage.ts';

type FlagUse = FlagUsage['uses'][number];

/**
 * Evaluations of one flag, counted in place: a page that fetches all flags counts each of them, and a thousand pages do so at one moment.
 * `noUsage`, and `merged` for all there was before, are what it comes to.
 */
export interface UsageTally {
  add(evaluation: CountedEvaluation, now: number): void;
  usage(): FlagUsage;
}

export function createUsageTally(since: number): UsageTally {
  const uses = new Map<string, { -readonly [Name in keyof FlagUse]: FlagUse[Name] }>();
  const [variants, matched] = [new Map<string, number>(), new Map<string, number>()];
  let errors = 0;
  return {
    add: ({ service, release, served, as }, now) => {
      if (served === undefined) {
        errors += 1;
        return;
      }
      const key = `${service ?? ''}\n${release ?? ''}\n${served.variant}`;
      let use = uses.get(key);
      if (use === undefined) {
        use = { variant: served.variant, evaluations: 0, fetches: 0, lastAt: now };
        if (service !== undefined) use.service = service;
        if (release !== undefined) use.release = release;
        uses.set(key, use);
      }
      if (as === 'evaluation') use.evaluations += 1;
      else use.fetches += 1;
      use.lastAt = now;
      variants.set(served.variant, now);
      matched.set(served.matched, now);
    },
    usage: () =>
      merged(noUsage(since), {
        ...noUsage(since),
        uses: Array.from(uses.values(), (use) => Object.assign({}, use)),
        errors,
        variants: Object.fromEntries(variants),
        matched: Object.fromEntries(matched),
      }),
  };
}
