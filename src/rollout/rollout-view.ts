import { timestamp } from '../effects/clock.ts';
import { isBaseline, wantedBaseline } from './baseline.ts';
import { capacityAt, hasStages, stageOf, stagesOf } from './course.ts';
import { type MirrorSettings, newCourse } from './course-state.ts';
import { shownVerdict } from './course-verdict.ts';
import { findingViews, type FindingView } from './evidence/finding-view.ts';
import { originOf } from './experiment/arms.ts';
import { experimentView, type ExperimentView } from './experiment/experiment-view.ts';
import { experimentWait, type Waits } from './experiment/experiment-waits.ts';
import { verdictInWords } from './evidence/words.ts';
import { type HookView, hooksView } from './hooks/hooks-view.ts';
import { dueHooks } from './hooks/stage-hooks.ts';
import { mirrorOf, shareInWords } from './mirroring.ts';
import { waitsForApproval } from './rollout-outcome.ts';
import { routeOf, shareOf } from './service-route.ts';
import { evidenceAtEnd } from './stage-evidence.ts';
import { revisionOf, type Candidate, type RolloutRecord, type ServiceState, type StageSettings } from './service-state.ts';

/** The rollout under way as people and programs see it. Times are RFC 3339. */
export interface RolloutView {
  readonly release: string;
  readonly version: string;
  /** Release in use meanwhile; absent for a first deployment. */
  readonly from?: string;
  /** `rollback` for the return to an earlier release. */
  readonly strategy: string;
  /** Why this strategy, where it was chosen and not declared. */
  readonly because?: string;
  readonly startedAt: string;
  readonly by?: string;
  readonly why?: string;
  /** Percentage of new requests the candidate is given. */
  readonly weight: number;
  /** Requests that are copied to it, whose answers nobody gets. */
  readonly copies?: MirrorSettings;
  /** Fresh instances of stable that it is compared with: how many there are to be, and how many are ready. */
  readonly baseline?: { readonly instances: number; readonly ready: number };
  /** Only of strategies that go by stages. `current` counts from 1. */
  readonly stages?: { readonly current: number; readonly steps: readonly StageView[] };
  /** Those that have been reached. */
  readonly hooks?: readonly HookView[];
  readonly paused?: { readonly reason: string; readonly since: string };
  readonly waits: Waits;
  readonly verdict?: 'pass' | 'fail' | 'inconclusive' | 'error';
  /** Of the candidate: what the evidence is of. */
  readonly units?: { readonly seen: number; readonly of: 'requests' | 'users' | 'copies' };
  /** The same for programs: what each metric and source says, with the numbers that made it. */
  readonly findings?: readonly FindingView[];
  /** One line a metric with its confidence interval and one a source, then what follows from them. */
  readonly evidence: readonly string[];
  /** From when its arms are being brought up to the end of the rollout. */
  readonly experiment?: ExperimentView;
}

interface StageView {
  readonly weight: number;
  readonly mirror?: MirrorSettings;
  readonly forMs: number;
  readonly approval: boolean;
  /** Arms are compared, each at this weight. */
  readonly experiment?: true;
}

/** A past rollout, or the one under way. */
export type RolloutRecordView = Omit<RolloutRecord, 'startedAt' | 'endedAt'> & { readonly startedAt: string; readonly endedAt?: string };

export function recordView({ startedAt, endedAt, ...record }: RolloutRecord): RolloutRecordView {
  return { ...record, startedAt: timestamp(startedAt), ...(endedAt !== undefined && { endedAt: timestamp(endedAt) }) };
}

/** Undefined when nothing is being rolled out. */
export function rolloutOf(state: ServiceState, now: number): RolloutView | undefined {
  const { candidate } = state;
  if (!candidate) return undefined;
  const revision = revisionOf(state, candidate.generation);
  const from = revisionOf(state, state.stable)?.release;
  const course = { ...newCourse, ...candidate.course };
  const verdict = shownVerdict(state, candidate.course);
  const { mirror } = mirrorOf(state);
  const record = state.rollouts?.find(({ generation }) => generation === originOf(candidate));
  const experiment = experimentView(state);
  return {
    release: revision?.release ?? '',
    version: revision?.version ?? '',
    ...(from !== undefined && { from }),
    strategy: candidate.urgent === true ? 'rollback' : state.settings.rollout.strategy,
    ...(record?.because !== undefined && { because: record.because }),
    startedAt: timestamp(candidate.startedAt),
    ...(record?.by !== undefined && { by: record.by }),
    ...(record?.why !== undefined && { why: record.why }),
    weight: Number(shareOf(routeOf(state), state, candidate.generation).toFixed(2)),
    ...(mirror && { copies: { percent: Number(mirror.percent.toFixed(2)), methods: mirror.methods ?? [] } }),
    ...(wantedBaseline(state) > 0 && { baseline: baselineOf(state) }),
    ...(hasStages(state) && {
      stages: { current: Math.min(course.stage, stagesOf(state).length - 1) + 1, steps: stagesOf(state).map(withoutHooks) },
    }),
    ...hooksView(course),
    ...(candidate.paused && { paused: { reason: candidate.paused.reason, since: timestamp(candidate.paused.since) } }),
    waits: waitsOf(state, candidate, now),
    ...(verdict && {
      verdict: verdict.verdict,
      units: { seen: verdict.units, of: verdict.of ?? 'requests' },
      findings: findingViews(verdict),
    }),
    evidence: verdict ? verdictInWords(verdict) : [],
    ...(experiment && { experiment }),
  };
}

function baselineOf(state: ServiceState): NonNullable<RolloutView['baseline']> {
  const ready = state.instances.filter((instance) => instance.phase === 'ready' && isBaseline(state, instance)).length;
  return { instances: wantedBaseline(state), ready };
}

/** Hooks are shown once they are reached. */
function withoutHooks({ weight, mirror, forMs, approval }: StageSettings): StageView {
  return { weight, ...(mirror && { mirror }), forMs, approval };
}

function waitsOf(state: ServiceState, candidate: Candidate, now: number): Waits {
  const { paused, generation } = candidate;
  const experiment = experimentWait(state, now);
  if (experiment) return experiment;
  const ready = state.instances.filter((instance) => instance.generation === generation && instance.phase === 'ready').length;
  if (paused?.reason === waitsForApproval) return { for: 'approval', message: 'somebody has to promote it' };
  if (paused?.recovers === true) return { for: 'evidence', message: paused.reason };
  if (paused) return { for: 'resume', message: paused.reason };
  const [hook, ...others] = dueHooks(state);
  if (hook) {
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    return { for: 'hook', message: `${hook.settings.name}${more}, asked since ${timestamp(hook.run.since).slice(11, 19)}` };
  }
  if (!hasStages(state)) return { for: 'instances', message: `${ready}/${state.replicas} instances ready` };
  const course = { ...newCourse, ...candidate.course };
  const stage = stageOf(state, course);
  const isPreview = state.settings.rollout.fullSet === true && stage.weight === 0;
  const share = isPreview ? 'its preview' : shareInWords(stage);
  const needed = capacityAt(state, course.stage);
  if (course.inForceSince === undefined) {
    if (ready < needed) return { for: 'instances', message: `${ready}/${needed} instances ready for ${share}` };
    const beside = baselineOf(state);
    if (beside.ready < beside.instances) {
      return { for: 'instances', message: `${beside.ready}/${beside.instances} fresh instances of stable ready to compare it with` };
    }
    const { smoke } = state.settings.rollout;
    if (smoke && course.smokePassed !== true) {
      const through = state.settings.expose.length > 0 ? ' and through the gateway' : '';
      return { for: 'smoke', message: `${smoke.path} of ${needed} instance${needed === 1 ? '' : 's'}${through}` };
    }
    return { for: 'gateway', message: `the gateway is to send it ${shareInWords(stage)}` };
  }
  const until = course.inForceSince + stage.forMs;
  if (now < until) return { for: 'time', message: `${share} ${stage.mirror ? 'last' : 'lasts'} until then`, until: timestamp(until) };
  const end = evidenceAtEnd(state, course, now);
  const because = shownVerdict(state, course)?.because ?? 'nothing has been counted yet';
  return { for: 'evidence', message: end.way === 'on' || end.lacks === 'requests' ? because : end.why };
}

/** `stage 2 of 3, 25 % of requests, waits for time: 25 % lasts until then`: the line for who waits; undefined for one without stages. */
export function stageInWords(state: ServiceState, now: number): string | undefined {
  const view = rolloutOf(state, now);
  if (!view?.stages) return undefined;
  const { current, steps } = view.stages;
  const gets = view.copies ? `copies ${view.copies.percent} % of the requests` : `${view.weight} % of requests`;
  return `stage ${current} of ${steps.length}, ${gets}, ${waitInWords(view.waits)}`;
}

function waitInWords({ for: what, message, until }: Waits): string {
  return what === 'time' ? `lasts until ${until?.slice(11, 19) ?? ''}` : `waits for ${what}: ${message}`;
}
