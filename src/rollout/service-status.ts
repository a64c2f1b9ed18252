import { timestamp } from '../effects/clock.ts';
import { backendName, groupOf, isBaseline, releaseOfBaseline } from './baseline.ts';
import type { ServiceRoute } from '../gateway/routing-table.ts';
import type { Address } from '../stack/stack.ts';
import { findingViews, type FindingView } from './evidence/finding-view.ts';
import { verdictInWords } from './evidence/words.ts';
import { dueHooks } from './hooks/stage-hooks.ts';
import { isServing } from './placement.ts';
import { previewOf } from './preview.ts';
import { rolloutOf, stageInWords, type RolloutView } from './rollout-view.ts';
import { isPublishedAsDeclared, routeOf } from './service-route.ts';
import { isLive, revisionOf, targetGeneration, type Instance, type InstancePhase, type ServiceState } from './service-state.ts';

type ServicePhase = 'deploying' | 'ready' | 'degraded' | 'failed' | 'suspended';

/** A service as people and programs see it. */
export interface ServiceStatus {
  readonly address: Address;
  readonly environment: string;
  readonly name: string;
  readonly phase: ServicePhase;
  /** Id of the stable release; absent before the first rollout has succeeded. */
  readonly release?: string;
  /** Id of the release being rolled out; equal to `release` during a restart. */
  readonly candidate?: string;
  /** Declared version of the stable release, or of the candidate while there is no stable one. */
  readonly version: string;
  readonly candidateVersion?: string;
  readonly replicas: { readonly desired: number; readonly ready: number };
  readonly instances: readonly InstanceView[];
  /** Public URLs; empty for a service that is not exposed. */
  readonly urls: readonly string[];
  /** URL under which the candidate alone answers at this moment. */
  readonly preview?: string;
  /** The rollout under way. */
  readonly rollout?: RolloutView;
  /** How new requests are shared out, in percent, and what stands ready for them. */
  readonly weights: readonly { readonly release: string; readonly percent: number; readonly ready: number; readonly baseline?: true }[];
  /** The release before, kept ready for an instant return until then (RFC 3339). */
  readonly previous?: { readonly release: string; readonly until: string };
  /** The release that was taken back last. */
  readonly failure?: {
    readonly release: string;
    readonly reason: string;
    readonly evidence: readonly string[];
    readonly findings?: readonly FindingView[];
  };
  /** Why it is not ready. */
  readonly message?: string;
}

interface InstanceView {
  readonly id: string;
  readonly release: string;
  /** A fresh instance of stable that the candidate is compared with. */
  readonly baseline?: true;
  readonly host?: string;
  readonly port?: number;
  readonly pid?: number;
  readonly state: InstancePhase;
  readonly restarts: number;
  /** RFC 3339; absent while it has no process. */
  readonly startedAt?: string;
  readonly logFile?: string;
  readonly message?: string;
}

export function statusOf(state: ServiceState, publicUrl: string | undefined, now: number): ServiceStatus {
  const stable = revisionOf(state, state.stable);
  const candidate = revisionOf(state, state.candidate?.generation);
  const message = messageOf(state);
  const rollout = rolloutOf(state, now);
  const { failure, previous } = state;
  const preview = previewOf(state);
  const kept = revisionOf(state, previous?.generation);
  return {
    address: state.address,
    environment: state.environment,
    name: state.name,
    phase: phaseOf(state),
    ...(stable && { release: stable.release }),
    ...(candidate && { candidate: candidate.release, candidateVersion: candidate.version }),
    version: (stable ?? candidate ?? state.revisions.at(-1))?.version ?? '',
    replicas: { desired: state.replicas, ready: readyOf(state).length },
    instances: state.instances.map((instance) => viewOf(state, instance)),
    urls: publicUrl === undefined ? [] : state.settings.expose.map((expose) => exposedUrl(publicUrl, expose)),
    ...(preview && publicUrl !== undefined && { preview: exposedUrl(publicUrl, preview) }),
    ...(rollout && { rollout }),
    weights: weightsOf(state),
    ...(previous && kept && { previous: { release: kept.release, until: timestamp(previous.until) } }),
    ...(failure && {
      failure: {
        release: failure.release,
        reason: failure.reason,
        evidence: failure.evidence ? verdictInWords(failure.evidence) : [],
        ...(failure.evidence && { findings: findingViews(failure.evidence) }),
      },
    }),
    ...(message !== undefined && { message }),
  };
}

function weightsOf(state: ServiceState): ServiceStatus['weights'] {
  const { backends } = routeOf(state);
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  return backends
    .filter(({ weight, instances }) => weight > 0 || instances.length > 0)
    .map(({ release, weight }) => {
      const percent = total === 0 ? 0 : Number(((100 * weight) / total).toFixed(2));
      const ready = state.instances.filter((instance) => instance.phase === 'ready' && backendName(state, instance) === release).length;
      const beside = releaseOfBaseline(release);
      return beside === undefined ? { release, percent, ready } : { release: beside, percent, ready, baseline: true };
    });
}

/** `http://support.localhost:7080/`: the environment's listener under the host the service is exposed as. */
export function exposedUrl(publicUrl: string, expose: { readonly host: string; readonly path: string }): string {
  const url = new URL(publicUrl);
  url.hostname = expose.host;
  url.pathname = expose.path;
  return url.href;
}

/** Where a service's way to its desired state has ended, if it has. */
export type Settlement =
  | { readonly outcome: 'ready' }
  | { readonly outcome: 'suspended' }
  | { readonly outcome: 'removed' }
  /** Only where the beginning is waited for: it goes on by itself. */
  | { readonly outcome: 'under way' }
  /** Only where one generation is asked about: another has taken its place. */
  | { readonly outcome: 'superseded' }
  | { readonly outcome: 'failed'; readonly generation: number | undefined; readonly reason: string; readonly log: string };

/** Undefined while the service is still on its way. `published` is the route the gateway is known to have. */
export function settlementOf(state: ServiceState | undefined, published: ServiceRoute | undefined): Settlement | undefined {
  if (!state) return { outcome: 'removed' };
  if (state.mode === 'removed') return undefined;
  if (state.mode === 'suspended') return state.instances.length === 0 ? { outcome: 'suspended' } : undefined;
  if (state.candidate) return undefined;
  if (state.failure) {
    const { generation, reason, log = '' } = state.failure;
    return { outcome: 'failed', generation, reason, log };
  }
  // A set that is only kept ready is none that is waited for.
  const live = state.instances.filter((instance) => isLive(instance) && instance.generation !== state.previous?.generation);
  const serving = live.filter((instance) => isServing(instance, { published })).length;
  if (serving === state.replicas && live.length === state.replicas && isPublishedAsDeclared(published, state)) return { outcome: 'ready' };
  const looping = live.find(({ phase }) => phase === 'crash_looping');
  if (!looping) return undefined;
  return {
    outcome: 'failed',
    generation: state.stable,
    reason: `its instance ${looping.id} keeps failing: it ${looping.reason ?? 'ended'}`,
    log: '',
  };
}

/** Ready, too, while its stable release answers in full, whatever is being rolled out beside it: enough for those that call it. */
export function servingOf(state: ServiceState | undefined, published: ServiceRoute | undefined): Settlement | undefined {
  const settlement = settlementOf(state, published);
  if (settlement || !state?.candidate || state.mode !== 'running' || state.stable === undefined) return settlement;
  const stable = state.instances.filter((instance) => groupOf(state, instance) === state.stable && isServing(instance, { published }));
  return stable.length >= state.replicas ? { outcome: 'ready' } : undefined;
}

/** `1/2 instances ready`: the one line of progress that matters while a service settles. */
export function progressOf(state: ServiceState, now: number): string {
  const leaving = state.instances.filter((instance) => !isLive(instance)).length;
  if (state.mode !== 'running') return `${state.instances.length} instances left to stop`;
  const stage = stageInWords(state, now);
  if (stage !== undefined) return stage;
  const [hook] = dueHooks(state);
  const asked = hook ? `, waits for hook: ${hook.settings.name}` : '';
  return `${readyOf(state).length}/${state.replicas} instances ready${leaving > 0 ? `, ${leaving} leaving` : ''}${asked}`;
}

function readyOf(state: ServiceState): readonly Instance[] {
  const target = targetGeneration(state);
  return state.instances.filter(({ phase, generation }) => phase === 'ready' && generation === target);
}

function phaseOf(state: ServiceState): ServicePhase {
  if (state.mode !== 'running') return 'suspended';
  if (state.candidate) return 'deploying';
  if (state.failure) return 'failed';
  if (readyOf(state).length >= state.replicas) return 'ready';
  const troubled = state.instances.some(
    ({ phase, exits }) => phase === 'unready' || (isLive({ phase }) && phase !== 'ready' && exits.length > 0),
  );
  return troubled ? 'degraded' : 'deploying';
}

function messageOf(state: ServiceState): string | undefined {
  if (state.failure && !state.candidate) return `${state.failure.release} was not taken into use: ${state.failure.reason}`;
  const troubled = state.instances.find(({ phase, reason }) => phase !== 'ready' && reason !== undefined);
  return troubled && `${troubled.id} ${troubled.reason}`;
}

function viewOf(state: ServiceState, instance: Instance): InstanceView {
  const { id, phase, restarts, process, reason } = instance;
  return {
    id,
    release: revisionOf(state, instance.generation)?.release ?? '',
    state: phase,
    restarts,
    ...(isBaseline(state, instance) && { baseline: true }),
    ...(process && { ...process }),
    ...(reason !== undefined && { message: reason }),
  };
}
