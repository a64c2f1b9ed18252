import type { Course } from '../course-state.ts';
import { type ArmFinding, type ExperimentFinding, type Rate, rateOf } from '../evidence/experiment.ts';
import type { Verdict } from '../evidence/judge.ts';
import { verdictInWords } from '../evidence/words.ts';
import { routeOf, shareOf } from '../service-route.ts';
import type { ExperimentRecord, ServiceState } from '../service-state.ts';
import { experimentOf } from './arms.ts';
import { comparedArms } from './compare-arms.ts';
import { allOutcomes } from './counted-outcomes.ts';
import type { ArmCourse, ExperimentCourse, ExperimentSettings } from './experiment-state.ts';
import { evidenceOf } from './judge-arms.ts';
import { findingInWords, lineOfArm, rateInWords } from './words.ts';

/** An experiment as people and programs see it. */
export interface ExperimentView {
  readonly metric: { readonly attribute: string; readonly value: string; readonly goal: 'more' | 'fewer' };
  /** The plain candidate first. */
  readonly arms: readonly ArmView[];
  /** Users of stable with an outcome, and how many of them had the one counted. */
  readonly control: Rate;
  /** Absent while nothing has been concluded. */
  readonly outcome?: ExperimentFinding['outcome'];
  readonly winner?: string;
  readonly promoted?: string;
  /** One line an arm, control's, and what follows. */
  readonly words: readonly string[];
}

interface ArmView {
  readonly name: string;
  readonly release: string;
  /** Percentage of new requests. */
  readonly weight: number;
  readonly ready: number;
  /** Users with an outcome, and how many of them had the one counted. */
  readonly units: number;
  readonly events: number;
  /** How many times control's rate its is; absent ends are unknown. Always valid. */
  readonly besideControl?: { readonly low?: number; readonly high?: number; readonly verdict: ArmFinding['verdict'] };
  /** Whether it does harm beside stable. */
  readonly safety?: { readonly verdict: Verdict['verdict']; readonly evidence: readonly string[] };
  readonly withdrawn?: string;
}

/** Undefined for a rollout without one, and before it has begun. */
export function experimentView(state: ServiceState): ExperimentView | undefined {
  const course = state.candidate?.course;
  const settings = experimentOf(state);
  if (!course?.experiment || !settings) return undefined;
  const { experiment } = course;
  const finding = experiment.finding ?? comparedArms(state, experiment, settings);
  return {
    metric: settings.metric,
    arms: experiment.arms.map((arm) => armView(state, course, arm, finding)),
    control: finding.control,
    ...(experiment.finding && { outcome: experiment.finding.outcome }),
    ...(experiment.finding?.winner !== undefined && { winner: experiment.finding.winner }),
    ...(experiment.promoted !== undefined && { promoted: experiment.promoted }),
    words: wordsOf(experiment, finding, settings),
  };
}

/** What is left of an experiment in the record of its rollout. */
export function experimentRecord(state: ServiceState): ExperimentRecord | undefined {
  const experiment = state.candidate?.course?.experiment;
  const settings = experimentOf(state);
  if (!experiment || !settings) return undefined;
  const finding = experiment.finding ?? comparedArms(state, experiment, settings);
  return {
    outcome: experiment.finding?.outcome ?? 'undecided',
    ...(experiment.finding?.winner !== undefined && { winner: experiment.finding.winner }),
    ...(experiment.promoted !== undefined && { promoted: experiment.promoted }),
    arms: experiment.arms.map(({ name, release, withdrawn }) => ({ name, release, ...(withdrawn && { withdrawn: withdrawn.reason }) })),
    words: wordsOf(experiment, finding, settings),
  };
}

function armView(state: ServiceState, course: Course, arm: ArmCourse, { arms }: ExperimentFinding): ArmView {
  const { name, release, generation, withdrawn } = arm;
  const found = arms.find((each) => each.arm === name);
  const verdict = evidenceOf(arm, course)?.verdict;
  const { units, events } = rateOf(allOutcomes(course.experiment?.outcomes), release);
  return {
    name,
    release,
    weight: Number(shareOf(routeOf(state), state, generation).toFixed(2)),
    ready: state.instances.filter((instance) => instance.generation === generation && instance.phase === 'ready').length,
    units,
    events,
    ...(found && { besideControl: { ...endsOf(found.interval), verdict: found.verdict } }),
    ...(verdict && { safety: { verdict: verdict.verdict, evidence: verdictInWords(verdict) } }),
    ...(withdrawn && { withdrawn: withdrawn.reason }),
  };
}

function wordsOf({ arms, finding }: ExperimentCourse, current: ExperimentFinding, settings: ExperimentSettings): readonly string[] {
  const out = arms.flatMap(({ name, withdrawn }) => (withdrawn ? [`${name} was withdrawn: ${withdrawn.reason}`] : []));
  if (finding) return [...findingInWords(finding, settings), ...out];
  return [
    ...current.arms.map((arm) => lineOfArm(arm, current.level, settings)),
    `control ${rateInWords(current.control, settings.metric.value)}`,
    ...out,
  ];
}

/** `MAX_VALUE` stands for no bound in what is stored; here it is left out. */
function endsOf({ low, high }: ArmFinding['interval']): { readonly low?: number; readonly high?: number } {
  return { ...(low > 0 && { low }), ...(high < Number.MAX_VALUE && { high }) };
}
