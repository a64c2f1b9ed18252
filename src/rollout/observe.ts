import type { InstanceExit, Workloads } from '../providers/workloads.ts';
import type { Prober } from './prober.ts';
import { countsOf } from './counted-evidence.ts';
import { noCounts } from './evidence/counts.ts';
import type { HookAnswers } from './hooks/hook.ts';
import { observeExperiment } from './experiment/observe-experiment.ts';
import { comparedRelease, evidenceId } from './service-route.ts';
import { revisionOf, type Instance, type ServiceState } from './service-state.ts';
import type { ServiceMemory } from './service-memory.ts';
import type { GatewayEvidence, Observation, ObservedInstance } from './strategy.ts';
import type { Traffic } from './traffic.ts';

/** Looks at everything a service consists of. The order matters: work in flight is counted after the last publication. */
export async function observe(
  state: ServiceState,
  memory: ServiceMemory,
  ports: {
    readonly workloads: Workloads;
    readonly traffic: Traffic;
    readonly prober: Prober;
    readonly answersOf: (state: ServiceState) => Promise<HookAnswers | undefined>;
  },
): Promise<Observation> {
  const { published } = memory;
  const draining = state.instances.some(({ phase }) => phase === 'draining');
  const inFlight = draining ? await ports.traffic.inFlight(state).catch(() => undefined) : undefined;
  const entries = state.instances.map(async (instance) => [instance.id, await observeInstance(state, instance, memory, ports)] as const);
  const evidence = await observeEvidence(state, ports.traffic).catch(() => undefined);
  const smoke = state.candidate && memory.smokes.get(state.candidate.generation);
  const hooks = await ports.answersOf(state);
  const experiment = await observeExperiment(state, ports.traffic).catch(() => undefined);
  const instances = new Map(await Promise.all(entries));
  const { watchedSince, measurements } = memory;
  return { instances, published, inFlight, evidence, experiment, smoke, hooks, watchedSince, measurements: measurements.made };
}

/** Counts of the rollout under way, and what stable's latency was before it; undefined when nothing is to be compared. */
async function observeEvidence(state: ServiceState, traffic: Traffic): Promise<GatewayEvidence | undefined> {
  const { candidate, settings, stable } = state;
  const { analysis } = settings.rollout;
  const arms = { candidate: revisionOf(state, candidate?.generation)?.release, stable: revisionOf(state, stable)?.release };
  if (!analysis || !candidate?.course || arms.candidate === undefined || arms.stable === undefined) return undefined;
  const quantiles = analysis.rules.latency?.quantiles;
  const isKnown = quantiles === undefined || candidate.course.evidence?.thresholds !== undefined;
  const stableLatencies = isKnown ? undefined : await traffic.latencies(state, arms.stable, quantiles);
  const id = evidenceId(state, candidate, analysis);
  const counted = await traffic.evidence(state, id);
  const isOurs = counted?.id === id;
  const counts = isOurs
    ? countsOf(counted.strata, { candidate: arms.candidate, stable: comparedRelease(state, arms.stable) }, analysis.rules)
    : noCounts;
  return {
    epoch: isOurs ? counted.epoch : '',
    counts,
    ...(isOurs &&
      counted.copies && { copies: countsOf(counted.copies, { candidate: arms.candidate, stable: arms.stable }, analysis.rules) }),
    isComplete: counted?.isComplete ?? true,
    ...(stableLatencies && { stableLatencies }),
  };
}

async function observeInstance(
  state: ServiceState,
  instance: Instance,
  memory: ServiceMemory,
  { workloads, prober }: { readonly workloads: Workloads; readonly prober: Prober },
): Promise<ObservedInstance> {
  const { id, since } = instance;
  const notStarted = memory.failedStarts.get(id);
  if (instance.phase === 'starting' && notStarted?.since === since) return { status: 'ended', reason: notStarted.reason };
  const status = await workloads.inspect(id);
  if (status.status === 'running') {
    const { host, port, pid, startedAt, logFile } = status.instance;
    const health = revisionOf(state, instance.generation)?.health;
    if (health && ['starting', 'ready', 'unready'].includes(instance.phase)) prober.watch(id, pid, health);
    else prober.unwatch(id);
    return { status: 'running', process: { host, port, pid, startedAt, logFile }, ...prober.healthOf(id, pid) };
  }
  prober.unwatch(id);
  if (status.status === 'gone') return { status: 'absent' };
  // An exit that is still on record from before the restart it is about to get says nothing about the new process.
  const unknownStart = instance.phase === 'starting' && !instance.process && memory.starts.get(id) !== since;
  return unknownStart ? { status: 'absent' } : { status: 'ended', reason: describeExit(status.exit) };
}

function describeExit({ code, signal, outOfMemory }: InstanceExit): string {
  if (outOfMemory) return 'was ended because it used more memory than it may';
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? 'ended while nobody watched' : `ended with exit code ${code}`;
}
