import { ratioInterval } from './confidence.ts';
import { logEvidence } from './event-process.ts';
import { above, below, type Finding, plain, verdictOf, worthCatching } from './finding.ts';
import { type Strata, totals } from './strata.ts';

/** Something answers say of themselves, which must not become more frequent, or less, than it is with stable. */
export interface TallyRule {
  readonly name: string;
  readonly attribute: string;
  readonly value: string;
  readonly direction: 'must_not_rise' | 'must_not_fall';
  /** Factor by which it may rise or fall. */
  readonly tolerate: number;
}

/** The event process on answers that say it, against what is tolerated and against as much more as is worth catching. */
export function judgeTally({ name, direction, tolerate }: TallyRule, strata: Strata, alpha: number): Finding {
  const mayRise = direction === 'must_not_fall';
  const tolerated = mayRise ? 1 / tolerate : tolerate;
  const caught = mayRise ? tolerated / worthCatching : tolerated * worthCatching;
  const harm = plain(logEvidence(strata, tolerated, mayRise ? below(tolerated) : above(tolerated)));
  const safety = plain(logEvidence(strata, caught, mayRise ? above(caught) : below(caught)));
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
