import type { JsonObject } from '../../digest/json.ts';
import type { InstanceSpec } from '../workloads.ts';

/** Lines are followed into the instance's own log as they are written: the engine keeps only what a pause of that can miss. */
const engineLog = { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } };
/** Of a second, as Docker counts processor time. */
const nanosPerMilli = 1_000_000;

/**
 * What the engine is asked to make of an instance. It has the machine's network, so that PORT, HOST, databases and other services are
 * where they are for processes, and no right that it does not need: no capabilities, none to be gained, no restart by the engine. The
 * environment holds secrets.
 */
export function containerRequest(
  spec: InstanceSpec,
  made: {
    readonly image: string;
    readonly host: string;
    readonly port: number;
    readonly labels: Readonly<Record<string, string>>;
    readonly cgroupParent?: string | undefined;
  },
): JsonObject {
  const { image, host, port, labels } = made;
  const environment = { ...spec.environment, HOST: host, PORT: String(port), SLUICE_INSTANCE: spec.id };
  const [program, ...parameters] = spec.command;
  return {
    Image: image,
    ...(program !== undefined && { Entrypoint: [program], Cmd: parameters }),
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    Labels: { ...labels },
    // The readiness Sluice asks for is the one that counts.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      NetworkMode: 'host',
      Init: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      RestartPolicy: { Name: 'no' },
      LogConfig: engineLog,
      Mounts: (spec.image?.files ?? []).map((path) => ({ Type: 'bind', Source: path, Target: path, ReadOnly: true })),
      ...limitsOf(spec),
    },
  };
}

/** Memory is a limit of all of it: what would be swapped out counts too. */
function limitsOf({ limits }: InstanceSpec): JsonObject {
  const { cpuMillis, memoryBytes } = limits ?? {};
  return {
    ...(cpuMillis !== undefined && { NanoCpus: Math.max(10, cpuMillis) * nanosPerMilli }),
    ...(memoryBytes !== undefined && { Memory: memoryBytes, MemorySwap: memoryBytes }),
  };
}
