import { layoutOf } from './counted-evidence.ts';
import { accumulated, ofLayout } from './course-evidence.ts';
import { stageOf } from './course.ts';
import type { Course } from './course-state.ts';
import { rulesFor } from './copies-verdict.ts';
import { addCounts } from './evidence/counts.ts';
import { type Counts, judge, type Rules, type Verdict } from './evidence/judge.ts';
import type { ServiceState } from './service-state.ts';
import type { GatewayEvidence } from './strategy.ts';

/**
 * The course with what the gateway has counted of requests and their copies since, judged anew, while requests are copied.
 *
 * The halves of a pair are no two independent draws: both are the same request at the same time. The event process is asked with the chance
 * 1/2 all the same, and stays a test. Let c and s be the chances that the copy and the request fail, given all that was before, and b that
 * both do. With a = r (r0 + 1) / (r0 (r + 1)) and d = (r0 + 1) / (r + 1), one pair multiplies the bet on r by a, d, a d or 1, whose mean is
 *
 *     1 + c (a - 1) + s (d - 1) + b (a - 1) (d - 1) = 1 + (r - r0) / (r + 1) * (c / r0 - s) + b (a - 1) (d - 1)
 *
 * For r above r0, a > 1 > d: under the hypothesis c <= r0 s no term beside the 1 is above zero, whatever b is. For r below r0 and c >= r0 s the
 * same holds. So it is a supermartingale however the halves depend on each other and however users repeat themselves, and Ville's bound
 * stands; what halves have in common only makes it slower. Which pairs are counted, and as what, is decided in the gateway so that c = s for
 * releases that do not differ, or c < s (`Pair`). For that reason the copies can fail a candidate and never pass it.
 */
export function foldCopies(state: ServiceState, course: Course, seen: GatewayEvidence | undefined): Course {
  const { analysis } = state.settings.rollout;
  const layout = analysis && layoutOf(analysis.rules);
  const known = layout === undefined ? undefined : ofLayout(course.copies, layout);
  if (!analysis || !seen?.copies || seen.epoch === '' || stageOf(state, course).mirror === undefined) return course;
  const rules = rulesFor('copies', state, course, analysis);
  const before = accumulated(known, seen.epoch, seen.copies);
  const verdict = verdictOf(addCounts(before, seen.copies), rules, seen.isComplete);
  const copies = {
    before,
    ...(layout !== undefined && { layout }),
    epoch: seen.epoch,
    current: seen.copies,
    verdict,
    ...(known?.overruled && { overruled: known.overruled }),
  };
  return { ...course, copies };
}

function verdictOf(counts: Counts, rules: Rules, isComplete: boolean): Verdict {
  const judged: Verdict = { ...judge(counts, rules), of: 'copies' };
  const { verdict, units, findings } = judged;
  if (!isComplete) return { verdict: 'error', of: 'copies', units, findings, because: 'some of what happened could not be counted' };
  if (verdict === 'fail') return { ...judged, because: `among copies ${judged.because}` };
  if (verdict === 'error') return judged;
  const because =
    units < rules.minUnits ? `${units} of ${rules.minUnits} copied requests have been seen` : 'nothing speaks against it among the copies';
  return { verdict: 'inconclusive', of: 'copies', units, findings, because };
}
