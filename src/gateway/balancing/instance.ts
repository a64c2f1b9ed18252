/** What the gateway knows about one instance. Mutable and shared: a table switch keeps it, so that counts and health survive. */
export interface Instance {
  /** `environment/service/id@host:port`: an instance that comes back elsewhere is another one. */
  readonly key: string;
  readonly environment: string;
  readonly service: string;
  readonly id: string;
  readonly host: string;
  readonly port: number;
  release: string;
  /** `removed`: no longer in the table, remembered until its last request has ended. */
  state: 'active' | 'draining' | 'removed';
  healthy: boolean;
  /** Failures in a row, of checks or of requests. */
  failures: number;
  /** Left out for a while because requests to it failed, whatever its checks say; see `createOutliers`. */
  ejected: boolean;
  /** Among those that are chosen from: active, healthy and not ejected. */
  ready: boolean;
  /** When its slow start began, monotonic milliseconds; undefined until the first choice after it became ready. */
  rampingSince: number | undefined;
  /** Requests, streams and WebSockets that have been given to it and have not ended. */
  inFlight: number;
}

interface InstanceSpec {
  readonly environment: string;
  readonly service: string;
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly release: string;
  readonly state: 'active' | 'draining';
}

/** All instances of the current table, and those before it that still have work. */
export interface Instances {
  /** The instance of this specification, created healthy when it is new. Call it for every instance of a table, then `settle`. */
  admit(spec: InstanceSpec): Instance;
  /** Marks as removed what the latest table did not admit `of` these, or of all, and forgets what is idle of it. */
  settle(admitted: ReadonlySet<Instance>, of?: Iterable<Instance>): void;
  /** One more piece of work. Every `acquire` is matched by exactly one `release`. */
  acquire(instance: Instance): void;
  release(instance: Instance): void;
  all(): Iterable<Instance>;
}

/** `onForgotten` is told once per instance that is removed and has no work left: its connections may be closed. */
export function createInstances(onForgotten: (instance: Instance) => void = () => {}): Instances {
  const known = new Map<string, Instance>();

  const forgetIfDone = (instance: Instance): void => {
    if (instance.state !== 'removed' || instance.inFlight > 0) return;
    known.delete(instance.key);
    onForgotten(instance);
  };

  return {
    admit: (spec) => {
      const key = instanceKey(spec);
      const existing = known.get(key);
      if (existing) {
        existing.release = spec.release;
        existing.state = spec.state;
        return existing;
      }
      const instance: Instance = {
        key,
        ...spec,
        healthy: true,
        failures: 0,
        ejected: false,
        ready: false,
        rampingSince: undefined,
        inFlight: 0,
      };
      known.set(key, instance);
      return instance;
    },
    settle: (admitted, of = known.values()) => {
      for (const instance of of) {
        if (admitted.has(instance)) continue;
        instance.state = 'removed';
        forgetIfDone(instance);
      }
    },
    acquire: (instance) => {
      instance.inFlight += 1;
    },
    release: (instance) => {
      if (instance.inFlight === 0) throw new Error(`in-flight count of ${instance.key} would become negative`);
      instance.inFlight -= 1;
      forgetIfDone(instance);
    },
    all: () => known.values(),
  };
}

/** The `key` of the instance that a specification stands for. */
export function instanceKey(spec: Pick<InstanceSpec, 'environment' | 'service' | 'id' | 'host' | 'port'>): string {
  return `${spec.environment}/${spec.service}/${spec.id}@${spec.host}:${spec.port}`;
}
