import type { Digest } from '../digest/digest.ts';
import { canonicalJson, type JsonObject } from '../digest/json.ts';
import type { CreateRequest, ReferencedResource } from '../providers/provider.ts';
import type { MachinePlacement, ResourceLimits } from '../providers/workloads.ts';
import type { MaterialisedParts } from '../release/materialise.ts';
import type { Release } from '../release/release.ts';
import type { Vault } from '../secrets/vault.ts';
import { parseDurationMs } from '../stack/fields/duration.ts';
import { parseCpuMillis, parseMemoryBytes } from '../stack/fields/quantity.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import type { DesiredService } from './desired-state.ts';
import { rolloutSettings } from './rollout-settings.ts';
import type { HealthSettings, RevisionContent, ScalingSettings } from './service-state.ts';
import { trafficPolicies } from './traffic-policies.ts';

/** An arm of the declared experiment: its own request, and the release that was made of it. */
export interface MadeArm {
  readonly name: string;
  readonly request: CreateRequest;
  readonly release: Release;
  readonly parts: MaterialisedParts;
}

/** Turns a service's block, its release and the machine it runs on into what the controller is to bring about. */
export function desiredService(
  request: CreateRequest,
  { id: operation, by }: { readonly id: string; readonly by?: string },
  made: { readonly release: Release; readonly parts: MaterialisedParts; readonly arms?: readonly MadeArm[]; readonly vault: Vault },
): DesiredService {
  const declared = request.declared as unknown as ServiceFields;
  const { arms = [], release, vault } = made;
  return {
    address: request.address,
    environment: request.environment,
    name: request.name,
    operation,
    ...(by !== undefined && { by }),
    replicas: declared.replicas,
    settings: {
      expose: declared.expose ? [{ host: declared.expose.host, path: declared.expose.path }] : [],
      calls: declared.calls,
      drainMs: parseDurationMs(declared.drain),
      policies: trafficPolicies(declared),
      ...(declared.scaling && { scaling: scalingSettings(declared.scaling) }),
      rollout: rolloutSettings(declared.rollout),
    },
    revision: revisionContent(request, declared, made),
    ...(arms.length > 0 && { arms: { of: release.id, members: arms.map((arm) => memberOf(arm, vault)) } }),
  };
}

function memberOf({ name, request, ...made }: MadeArm, vault: Vault): { readonly name: string; readonly content: RevisionContent } {
  return { name, content: revisionContent(request, request.declared as unknown as ServiceFields, { ...made, vault }) };
}

function revisionContent(
  request: CreateRequest,
  declared: ServiceFields,
  { release, parts, vault }: { readonly release: Release; readonly parts: MaterialisedParts; readonly vault: Vault },
): RevisionContent {
  const machine = machineOf(declared, request.references.values());
  const limits = limitsOf(declared);
  return {
    release: release.id,
    version: release.version,
    directory: release.directory,
    command: declared.command ?? [],
    env: declared.env,
    releaseEnv: releaseEnvironment(declared, parts),
    configuration: configurationDigest(request.fields, vault),
    health: healthOf(declared),
    ...(machine && { machine }),
    ...(limits && { limits }),
    ...imageOf(declared, release, parts),
  };
}

/** The container finds prompts and policy where a process finds them. */
function imageOf(
  { image: reference }: ServiceFields,
  { content }: Release,
  { prompts, policy }: MaterialisedParts,
): Pick<RevisionContent, 'image'> {
  if (reference === undefined || content.image === undefined) return {};
  return { image: { reference, digest: content.image, files: [prompts, policy].filter((path) => path !== undefined) } };
}

export function scalingSettings({ min, max, targets }: NonNullable<ServiceFields['scaling']>): ScalingSettings {
  const { latency_p95: latency, queue_depth: queueDepth, concurrency } = targets;
  return {
    min,
    max,
    ...(latency !== undefined && { latencyMs: parseDurationMs(latency) }),
    ...(queueDepth !== undefined && { queueDepth }),
    ...(concurrency !== undefined && { concurrency }),
  };
}

/** Keyed, because it is stored and made of secrets. */
function configurationDigest(fields: JsonObject, vault: Vault): Digest {
  return vault.fingerprint(canonicalJson({ command: fields['command'] ?? null, env: fields['env'] ?? null }));
}

function releaseEnvironment({ model }: ServiceFields, parts: MaterialisedParts): Readonly<Record<string, string>> {
  const { prompts, policy } = parts;
  return {
    ...(prompts !== undefined && { SLUICE_PROMPTS: prompts }),
    ...(policy !== undefined && { SLUICE_POLICY: policy }),
    ...(model && { SLUICE_MODEL: canonicalJson(model) }),
  };
}

export function healthOf({ health }: Pick<ServiceFields, 'health'>): HealthSettings {
  const timeoutMs = parseDurationMs(health.timeout);
  const timing = { intervalMs: Math.max(10, parseDurationMs(health.interval)), startPeriodMs: parseDurationMs(health.start_period) };
  if (health.path !== undefined) return { check: { type: 'http', path: health.path, timeoutMs }, ...timing };
  if (health.command) return { check: { type: 'command', command: health.command, timeoutMs }, ...timing };
  return { check: { type: 'tcp', timeoutMs }, ...timing };
}

function machineOf({ runs_on }: ServiceFields, references: Iterable<ReferencedResource>): MachinePlacement | undefined {
  for (const { kind, name, address, id, outputs } of references) {
    if (kind === 'virtual_machine' && name === runs_on) return { address, id, outputs };
  }
  return undefined;
}

export function limitsOf({ resources }: Pick<ServiceFields, 'resources'>): ResourceLimits | undefined {
  if (!resources) return undefined;
  return {
    ...(resources.cpu !== undefined && { cpuMillis: parseCpuMillis(resources.cpu) }),
    ...(resources.memory !== undefined && { memoryBytes: parseMemoryBytes(resources.memory) }),
  };
}
