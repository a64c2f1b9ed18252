import type { JsonObject } from '../digest/json.ts';
import type { PinnedImage } from './images.ts';
import type { Address } from '../stack/stack.ts';

/**
 * Runs instances of releases: the port between a rollout and the machines. Instances outlive the control plane; a new control plane
 * adopts them. Throws only SluiceErrors.
 */
export interface Workloads {
  /**
   * Starts one instance and returns once its process exists, not once it is ready. Idempotent by `spec.id`: while that instance still
   * runs, returns it. The environment holds secrets and is not written anywhere.
   */
  start(spec: InstanceSpec): Promise<RunningInstance>;
  /** Terminates gently, and by force at the deadline. Resolves when no process of the instance is left. Success when already gone. */
  stop(id: string, deadlineMs: number): Promise<void>;
  /** `gone` also when the pid now belongs to another process. */
  inspect(id: string): Promise<InstanceStatus>;
  /** Every instance this port has started and not yet forgotten, running or not; the ground for adoption and for finding orphans. */
  list(): Promise<readonly RunningInstance[]>;
  /** One readiness check. Never throws: a failed check is an answer. */
  probe(id: string, health: HealthCheck): Promise<ProbeResult>;
  /** Called once per instance that ends without `stop`; adopted instances included. Returns the unsubscription. */
  onExit(listener: (id: string, exit: InstanceExit) => void): () => void;
  /** Removes the record and log files of a stopped instance. */
  forget(id: string): Promise<void>;
}

export interface InstanceSpec {
  readonly id: string;
  /** Address of the service. */
  readonly service: Address;
  readonly release: string;
  /**
   * argv; the first word is looked up on the instance's PATH (`node` is the runtime Sluice itself runs on). Never through a shell. Of an
   * image, empty for the image's own command.
   */
  readonly command: readonly string[];
  /** Absolute working directory: the release's own copy of the source. An image has its own. */
  readonly directory: string;
  /** What it is started from; without one, it is a process of the machine it runs on. */
  readonly image?: InstanceImage;
  /** The declared environment with secrets resolved. The port adds PORT, HOST and a minimal PATH and HOME; nothing else is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** Identity and outputs of the virtual machine it runs on; without one, the machine itself. */
  readonly machine?: MachinePlacement;
  readonly limits?: ResourceLimits;
}

export interface InstanceImage extends PinnedImage {
  /** Absolute paths of files and folders that the instance finds at the same place, unchangeable. */
  readonly files: readonly string[];
}

export interface MachinePlacement {
  readonly address: Address;
  readonly id: string;
  readonly outputs: JsonObject;
}

export interface ResourceLimits {
  readonly cpuMillis?: number;
  readonly memoryBytes?: number;
}

export interface RunningInstance {
  readonly id: string;
  readonly service: Address;
  readonly release: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Tells this process from a later one with the same pid. Opaque. */
  readonly startTime: string;
  readonly startedAt: string;
  readonly logFile: string;
}

export type InstanceStatus =
  | { readonly status: 'running'; readonly instance: RunningInstance }
  | { readonly status: 'exited'; readonly exit: InstanceExit }
  | { readonly status: 'gone' };

/** `code` and `signal` are both null when an adopted instance ended: only its parent is told. */
export interface InstanceExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly at: string;
  /** The system ended it because it used more memory than it may. */
  readonly outOfMemory?: true;
}

export type HealthCheck =
  | { readonly type: 'http'; readonly path: string; readonly timeoutMs: number }
  | { readonly type: 'tcp'; readonly timeoutMs: number }
  | { readonly type: 'command'; readonly command: readonly string[]; readonly timeoutMs: number };

export type ProbeResult = { readonly ready: true } | { readonly ready: false; readonly reason: string };
