import { evidenceLayout } from '../baseline.ts';
import type { Counts } from '../evidence/judge.ts';
import { runningExperiment } from '../experiment/arms.ts';
import type { KeptEvidence } from '../kept-evidence.ts';
import { evidenceId } from '../service-route.ts';
import { revisionOf, type ServiceState } from '../service-state.ts';
import { agent } from './routed.ts';
import { type Witness, watching } from './witness.ts';
import type { Watch, World } from './world.ts';

/** 4: what was once counted is kept, whatever becomes of gateway and control plane, and nothing is counted twice. */
export function evidenceWatch({ check }: Witness): Watch {
  let known = new Map<string, number>();
  return watching({
    stored(_, after, world) {
      const seen = new Map<string, number>();
      for (const { name, release, counted, id } of judgedIn(after)) {
        const all = unitsIn(counted, ({ candidate, stable }) => candidate + stable);
        check(all >= (known.get(name) ?? 0), `4: ${all} units of ${release} are known after ${known.get(name)}`);
        seen.set(name, all);
        checkOnce(release, id, counted, world);
      }
      known = seen;
    },
  });

  function checkOnce(release: string, id: string, counted: KeptEvidence, { traffic }: World): void {
    const mine = unitsIn(counted, ({ candidate }) => candidate);
    const sent = traffic.compared(agent, id, release);
    check(mine <= sent, `4: ${mine} units of ${release} are known where ${sent} were counted`);
  }
}

interface Judged {
  readonly name: string;
  readonly release: string;
  readonly id: string;
  readonly counted: KeptEvidence;
}

/** Whatever is judged by requests in this state: the candidate, or every arm of its experiment. */
function judgedIn(state: ServiceState | undefined): readonly Judged[] {
  const { candidate, settings } = state ?? {};
  const analysis = settings?.rollout.analysis;
  const course = candidate?.course;
  if (!state || !candidate || !course || !analysis) return [];
  const [id, layout] = [evidenceId(state, candidate, analysis), evidenceLayout(state, analysis.rules)];
  const arms = runningExperiment(course)?.arms ?? [{ generation: candidate.generation, evidence: course.evidence }];
  return arms.flatMap(({ generation, evidence }) => {
    const release = revisionOf(state, generation)?.release;
    // What was counted for rules that were declared before counts no more.
    return evidence?.layout === layout && release !== undefined ? [{ name: `${id}/${generation}`, release, id, counted: evidence }] : [];
  });
}

/** Of units that could have gone to either. */
function unitsIn({ before, current }: KeptEvidence, of: (stratum: Counts['units'][number]) => number): number {
  const strata = [...before.units, ...current.units].filter(({ chance }) => chance > 0 && chance < 1);
  return strata.reduce((sum, stratum) => sum + of(stratum), 0);
}
