import { hasStages, stagesOf } from '../course.ts';
import { decidingVerdict } from '../course-verdict.ts';
import { originOf } from '../experiment/arms.ts';
import { evidenceId } from '../service-route.ts';
import { type Candidate, revisionOf, type ServiceState } from '../service-state.ts';
import { releases } from './releases.ts';
import { agent } from './routed.ts';
import { type Witness, watching } from './witness.ts';
import type { Watch } from './world.ts';

/** 4: nothing but shown evidence, or a person, lets a judged candidate go on; and what is alike is hardly ever taken back. */
export function verdictWatch({ check, tally, isPeople, measured }: Witness): Watch {
  return watching({
    stored(before, after, world) {
      const candidate = before?.candidate;
      if (!before || !after || !candidate) return;
      if (originIn(after) !== originOf(candidate)) countEnd(before, after, candidate);
      const { analysis } = after.settings.rollout;
      if (isPeople() || !hasStages(before) || before.operation !== after.operation) return;
      const stage = candidate.course?.stage ?? 0;
      const next = after.candidate?.generation === candidate.generation ? (after.candidate.course?.stage ?? 0) : undefined;
      const isDone = after.stable === candidate.generation;
      if (!isDone && (next === undefined || next <= stage)) return;
      check(candidate.paused === undefined, `4: it went on from stage ${stage} although it was held: ${candidate.paused?.reason}`);
      if (!analysis) return;
      const release = revisionOf(before, candidate.generation)?.release ?? '';
      check(next === undefined || next === stage + 1, `4: ${release} went from stage ${stage} to ${next ?? 0} by itself`);
      if (next !== undefined) checkSources(before, candidate, stage);
      const { weight } = stagesOf(before)[stage] ?? { weight: 100 };
      const course = after.candidate?.course ?? candidate.course;
      const verdict = candidate.course && decidingVerdict(before, { ...candidate.course, ...course, stage })?.verdict;
      check(verdict !== 'fail' && verdict !== 'error', `4: ${release} went on although the verdict was ${verdict}`);
      if (weight === 0 || weight === 100 || analysis.noData === 'continue') return;
      const seen = world.traffic.compared(agent, evidenceId(before, candidate, analysis), release);
      check(seen >= analysis.rules.minUnits, `4: ${release} went on from ${weight} % after ${seen} of ${analysis.rules.minUnits} requests`);
    },
  });

  /** A stage ends by itself only when each further source has spoken for the candidate at least once. */
  function checkSources({ settings, ...state }: ServiceState, { generation, course }: Candidate, stage: number): void {
    const { sources = [], noData } = settings.rollout.analysis ?? {};
    const isExperiment = stagesOf({ settings })[stage]?.experiment === true;
    if (noData === 'continue' || isExperiment || course?.sourcesOverruled === true) return;
    for (const { name } of sources) {
      const said = measured.get(`${generation}/${name}`);
      check(said?.has('pass') === true, `4: ${revisionOf(state, generation)?.release} went on although ${name} never spoke for it`);
    }
  }

  function countEnd(before: ServiceState, after: ServiceState, candidate: Candidate): void {
    const { generation } = candidate;
    if (hasStages(before)) tally.staged += 1;
    tally.rollouts += 1;
    const isFailed = after.failure?.generation === generation;
    tally[after.stable === generation ? 'completed' : isFailed ? 'failed' : 'superseded'] += 1;
    const verdict = after.failure?.generation === generation ? after.failure.evidence : candidate.course?.evidence?.verdict;
    if (!verdict) return;
    const isShown = verdict.findings.some(({ harm, bar }) => harm >= bar);
    const isTaken = isFailed && verdict.verdict === 'fail';
    if (isTaken) {
      tally.takenBack += 1;
      // Only a further source can speak against a candidate without any count.
      const isSaid = verdict.sources?.some((source) => source.verdict === 'fail') === true;
      check(isShown || isSaid, '4: taken back without evidence of harm');
    }
    const [mine, theirs] = [answersOf(before, generation), answersOf(before, before.stable)];
    if (mine === undefined || JSON.stringify(mine) !== JSON.stringify(theirs)) return;
    tally.judgedAlike += 1;
    if (isTaken && isShown) tally.falseRollbacks += 1;
  }
}

/** An arm that goes on alone is of the rollout that made it. */
function originIn({ candidate }: ServiceState): number | undefined {
  return candidate && originOf(candidate);
}

/** Undefined for an arm too: it is like nothing else. */
function answersOf(state: ServiceState, generation: number | undefined): unknown {
  const release = revisionOf(state, generation)?.release ?? '';
  return Object.hasOwn(releases, release) ? releases[release as keyof typeof releases].answers : undefined;
}
