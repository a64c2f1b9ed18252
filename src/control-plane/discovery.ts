/** A control plane that answers, and the key of the local user for it. */
export interface FoundControlPlane {
  readonly url: string;
  readonly key: string;
  readonly pid: number;
}

export interface StartRequest {
  /** SLUICE_HOME: where all state lives. Created when missing. */
  readonly home: string;
  /** Folder the paths of stacks are relative to. */
  readonly root: string;
}
