import { ratioInterval } from './confidence.ts';
import { logEvidence } from './event-process.ts';
import { above, below, type Finding, plain, verdictOf, worthCatching } from './finding.ts';
import { ofCandidate, orNegligible } from './limit.ts';
import { type Strata, totals } from './strata.ts';

/** Something answers say of themselves, which must not become more frequent, or less, than it is with stable. */
export interface TallyRule {
  readonly name: string;
  readonly attribute: string;
  readonly value: string;
  readonly direction: 'must_not_rise' | 'must_not_fall';
  /** Factor by which it may rise or fall. */
  readonly tolerate: number;
  /** Of what must not rise: the rate below which no difference is worth catching. */
  readonly negligible?: number;
}

/** The event process on answers that say it, against what is tolerated and against as much more as is worth catching. */
export function judgeTally(rule: TallyRule, strata: Strata, units: number, alpha: number): Finding {
  const { name, direction, tolerate, negligible } = rule;
  const mayRise = direction === 'must_not_fall';
  const tolerated = mayRise ? 1 / tolerate : tolerate;
  const caught = mayRise ? tolerated / worthCatching : tolerated * worthCatching;
  const harm = plain(logEvidence(strata, tolerated, mayRise ? below(tolerated) : above(tolerated)));
  const ratio = logEvidence(strata, caught, mayRise ? above(caught) : below(caught));
  const mayBeRare = negligible !== undefined && !mayRise;
  const safety = plain(mayBeRare ? orNegligible(ratio, { rate: negligible, events: ofCandidate(strata), units }) : ratio);
  return {
    metric: name,
    harm,
    safety,
    bar: 1 / alpha,
    verdict: verdictOf(harm, safety, alpha),
    interval: ratioInterval(strata, alpha),
    events: totals(strata),
  };
}
