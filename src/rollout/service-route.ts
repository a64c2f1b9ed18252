import { jsonEquals } from '../digest/json.ts';
import type { BackendRoute, InstanceRoute, ServiceRoute } from '../gateway/routing-table.ts';
import { backendName, baselineName, evidenceLayout, shareBeside, usesBaseline } from './baseline.ts';
import { goesByStages, hasStages } from './course.ts';
import { isCounted } from './course-verdict.ts';
import { originOf, runningExperiment, slotOf, stagedShares } from './experiment/arms.ts';
import { mirrorOf } from './mirroring.ts';
import { previewOf } from './preview.ts';
import { type AnalysisSettings, type Candidate, revisionOf, targetGeneration, type Instance, type ServiceState } from './service-state.ts';

/** A request with this header goes to the release it names, whatever its share. */
export const overrideHeader = 'x-sluice-release';

/**
 * How requests are to reach the service by this state. Each release's weight is the number of its ready instances, so that every instance
 * gets an equal share and a release without capacity gets none; a candidate that goes by stages gets its stage's share instead, as far
 * as its ready instances allow.
 */
export function routeOf(given: ServiceState): ServiceRoute {
  const state = hasStages(given) ? given : withoutCourse(given);
  const backends = new Map<string, BackendRoute>();
  const preview = previewOf(state);
  // It is there without an instance too: the cohorts of a candidate are drawn as of two, whatever becomes of the other.
  if (usesBaseline(state)) backends.set(baselineName(state), { release: baselineName(state), weight: 0, instances: [] });
  for (const instance of state.instances) {
    const route = instanceRouteOf(instance);
    const release = backendName(state, instance);
    if (!route || release === undefined) continue;
    const backend = backends.get(release) ?? { release, weight: 0, instances: [] };
    backends.set(release, {
      release,
      weight: backend.weight + (instance.phase === 'ready' && instance.heldBack !== true ? 1 : 0),
      instances: [...backend.instances, route],
    });
  }
  return {
    environment: state.environment,
    name: state.name,
    expose: [...state.settings.expose.map(({ host, path }) => ({ host, path })), ...(preview ? [preview] : [])],
    calls: [...state.settings.calls],
    tokenDigests: [state.token.digest],
    health: healthRoute(state),
    backends: stableLast(state, sharesOf(weighted(state, [...backends.values()]))),
    ...state.settings.policies,
    ...splitOf(state),
    ...mirrorOf(state),
  };
}

/** Where a candidate is rolled, requests follow its instances. */
function withoutCourse(state: ServiceState): ServiceState {
  if (!state.candidate?.course) return state;
  const { course: _, ...candidate } = state.candidate;
  return { ...state, candidate };
}

/** Percentage of new requests that the gateway is known to send to a generation's release. */
export function shareOf(published: ServiceRoute | undefined, state: ServiceState, generation: number): number {
  const release = revisionOf(state, generation)?.release;
  const total = published?.backends.reduce((sum, { weight }) => sum + weight, 0) ?? 0;
  const own = published?.backends.find((backend) => backend.release === release)?.weight ?? 0;
  return total === 0 ? 0 : (100 * own) / total;
}

/**
 * The candidate, or the arms of its experiment, first with their shares, then all others with the rest by their ready instances. One that
 * was withdrawn, one that is only kept, one that went by stages and was left behind and, where candidates go by stages, whatever was given up or superseded
 * get nothing as long as others can answer.
 */
function weighted(state: ServiceState, backends: readonly BackendRoute[]): readonly BackendRoute[] {
  const { candidate, failure, previous, replicas } = state;
  const releaseOf = (generation: number | undefined) => revisionOf(state, generation)?.release;
  const idle = new Set([failure?.withdrawn === true ? releaseOf(failure.generation) : undefined, releaseOf(previous?.generation)]);
  if (goesByStages(state.settings)) for (const { release } of backends) idle.add(release);
  for (const generation of state.leftBehind ?? []) idle.add(releaseOf(generation));
  const course = candidate?.course;
  // An arm that was withdrawn has no share, also where it is the plain candidate.
  for (const used of [state.stable, runningExperiment(course) ? undefined : candidate?.generation]) idle.delete(releaseOf(used));
  const shares = course ? stagedShares(state, course) : [];
  const staged = shares.flatMap(({ generation, weight }) => {
    const backend = backends.find(({ release }) => release === releaseOf(generation));
    return backend ? [{ backend, asked: weight, slot: slotOf(state, generation) }] : [];
  });
  const baseline = usesBaseline(state) ? backends.find(({ release }) => release === baselineName(state)) : undefined;
  const others = backends.filter((backend) => backend !== baseline && !staged.some((share) => share.backend === backend));
  const answering = others.filter(({ release, weight }) => weight > 0 && !idle.has(release));
  const quiet = others.map(({ release, weight, instances }) => ({
    release,
    weight: answering.length > 0 && idle.has(release) ? 0 : weight,
    instances,
  }));
  if (staged.length === 0) return [...(baseline ? [{ ...baseline, weight: 0 }] : []), ...quiet];
  const ready = quiet.reduce((sum, { weight }) => sum + weight, 0);
  if (ready === 0) {
    return [...staged.map(({ backend, slot }) => placed(backend, backend.weight, slot)), ...(baseline ? [baseline] : []), ...quiet];
  }
  const carried = (backend: BackendRoute): number => (100 * backend.weight) / Math.max(1, replicas);
  const sent = staged.map(({ backend, asked, slot }) => placed(backend, Math.min(asked, carried(backend)), slot));
  const share = sent.reduce((sum, { weight }) => sum + weight, 0);
  const beside = baseline ? Math.min(shareBeside(share), carried(baseline)) : 0;
  const rest = quiet.map(({ release, weight, instances }) => ({ release, weight: ((100 - share - beside) * weight) / ready, instances }));
  return [...sent, ...(baseline ? [{ ...baseline, weight: beside }] : []), ...rest];
}

function placed(backend: BackendRoute, weight: number, slot: BackendRoute['slot']): BackendRoute {
  return { ...backend, weight, ...(slot && { slot }) };
}

/** What the gateway calls the instances that the candidate is compared with. */
export function comparedRelease(state: ServiceState, stable: string): string {
  return usesBaseline(state) ? baselineName(state) : stable;
}

/** What the counts of a rollout are called: those of another, of a comparison with something else, or for other rules are not its own. */
export function evidenceId(state: ServiceState, candidate: Pick<Candidate, 'generation' | 'began'>, { rules }: AnalysisSettings): string {
  return `${rolloutId(state, candidate)}-${evidenceLayout(state, rules)}`;
}

/** What the outcomes of its experiment are called. */
export function experimentId(state: ServiceState, candidate: Pick<Candidate, 'generation' | 'began'>): string {
  return `${rolloutId(state, candidate)}-experiment`;
}

function rolloutId({ uid }: ServiceState, candidate: Pick<Candidate, 'generation' | 'began'>): string {
  return `${uid}-${originOf(candidate)}`;
}

/** Cohorts and counts belong to one candidate: another draws and counts anew. */
function splitOf(state: ServiceState): Pick<ServiceRoute, 'split' | 'evidence' | 'experiment'> {
  const { candidate, settings } = state;
  const { affinity, analysis, experiment } = settings.rollout;
  // Whoever is to agree to it reaches it by name.
  if (candidate?.heldBack === true) return { split: { salt: `${state.address}/${rolloutId(state, candidate)}`, overrideHeader } };
  if (!candidate?.course) return flagSplitOf(state);
  const attribute = runningExperiment(candidate.course) && experiment?.metric.attribute;
  const release = revisionOf(state, candidate.generation)?.release ?? '';
  const thresholds = candidate.course.evidence?.thresholds ?? [];
  // Of the users, only the candidate and its baseline own a part: that a release before it is gone at last moves nobody.
  const sticky = affinity && { affinity, slots: usesBaseline(state) ? 2 : 1 };
  return {
    ...(attribute !== undefined && { experiment: { id: experimentId(state, candidate), attribute } }),
    split: { salt: `${state.address}/${rolloutId(state, candidate)}`, overrideHeader, ...sticky },
    ...(analysis &&
      isCounted(analysis) && {
        evidence: {
          id: evidenceId(state, candidate, analysis),
          // Those of the limits; then for each quantile, stable's threshold and the candidate's.
          latencyThresholdsMs: [
            ...(analysis.rules.latency?.limits ?? []).map(({ ms }) => ms),
            ...thresholds.flatMap((threshold) => [threshold, threshold * analysis.latencyTolerance]),
          ],
          ...(analysis.rules.decisions && { attribute: analysis.rules.decisions.attribute }),
          ...(analysis.rules.tallies && { counted: analysis.rules.tallies.map(({ attribute, value }) => ({ attribute, value })) }),
          ...(usesBaseline(state) && { compared: [release, baselineName(state)] }),
        },
      }),
  };
}

/** Nothing is split between releases: users are told apart so that each counts once. */
function flagSplitOf({ address, flagCounts, settings }: ServiceState): Pick<ServiceRoute, 'split' | 'evidence'> {
  if (!flagCounts) return {};
  const { id, attribute, variant, probability, thresholds } = flagCounts;
  const { affinity } = settings.rollout;
  return {
    ...(affinity && { split: { salt: `${address}/${id}`, affinity } }),
    evidence: {
      id,
      latencyThresholdsMs: [...thresholds],
      byVariant: { attribute, variant, ...(probability !== undefined && { probability }) },
    },
  };
}

/** The gateway takes the last one for the stable one. */
function stableLast(state: ServiceState, backends: readonly BackendRoute[]): BackendRoute[] {
  const stable = revisionOf(state, state.stable)?.release;
  return backends.toSorted((left, right) => Number(left.release === stable) - Number(right.release === stable));
}

/** Whether the gateway is known to send new requests to the instance, at the port it has now. */
export function isPublishedActive(published: ServiceRoute | undefined, instance: Instance): boolean {
  return publishedState(published, instance.id, instance.process?.port) === 'active';
}

/** Whether the gateway is known to send all requests to others while this one stands ready. */
export function isPublishedIdle(published: ServiceRoute | undefined, { id }: Pick<Instance, 'id'>): boolean {
  const own = published?.backends.find(({ instances }) => instances.some((instance) => instance.id === id));
  return own?.weight === 0 && (published?.backends.some(({ weight }) => weight > 0) ?? false);
}

/** Whether the gateway is known to treat requests as the service's settings say, wherever its instances are at the moment. */
export function isPublishedAsDeclared(published: ServiceRoute | undefined, state: ServiceState): boolean {
  if (published === undefined) return false;
  return jsonEquals({ ...routeOf(state), backends: [] }, { ...published, backends: [] });
}

/** Whether the gateway is known to send it nothing new. */
export function isPublishedDrained(published: ServiceRoute | undefined, instance: Instance): boolean {
  return published !== undefined && publishedState(published, instance.id) !== 'active';
}

function publishedState(published: ServiceRoute | undefined, id: string, port?: number): InstanceRoute['state'] | undefined {
  for (const backend of published?.backends ?? []) {
    const route = backend.instances.find((candidate) => candidate.id === id && (port === undefined || candidate.port === port));
    if (route) return route.state;
  }
  return undefined;
}

function instanceRouteOf({ id, phase, process }: Instance): InstanceRoute | undefined {
  if (!process) return undefined;
  if (phase === 'ready' || phase === 'unready') return { id, host: process.host, port: process.port, state: 'active' };
  if (phase === 'draining' || phase === 'stopping') return { id, host: process.host, port: process.port, state: 'draining' };
  return undefined;
}

/** When not one instance of the service passes its checks, all get a share: a doubtful answer is better than none (Envoy's panic mode). */
function sharesOf(backends: readonly BackendRoute[]): BackendRoute[] {
  if (backends.some(({ weight }) => weight > 0)) return [...backends];
  return backends.map(({ release, instances }) => ({
    release,
    weight: instances.filter(({ state }) => state === 'active').length,
    instances,
  }));
}

/** Revisions that are checked in different ways share no active check: the one in use must not be judged by the other's path. */
function healthRoute(state: ServiceState): ServiceRoute['health'] {
  const target = revisionOf(state, targetGeneration(state)) ?? state.revisions[0];
  const used = new Set([target?.generation, ...state.instances.map(({ generation }) => generation)]);
  const paths = state.revisions.filter(({ generation }) => used.has(generation)).map(({ health }) => pathOf(health.check));
  const [path] = paths;
  return {
    ...(path !== undefined && paths.every((other) => other === path) && { path }),
    intervalMs: target?.health.intervalMs ?? 1_000,
    timeoutMs: target?.health.check.timeoutMs ?? 1_000,
  };
}

function pathOf(check: { readonly type: string; readonly path?: string }): string | undefined {
  return check.type === 'http' ? check.path : undefined;
}
