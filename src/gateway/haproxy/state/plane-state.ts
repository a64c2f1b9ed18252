/** Whose requests a server's are. */
interface ServedRelease {
  readonly environment: string;
  readonly service: string;
  readonly release: string;
}

/** One instance as a server of its slot. A server's name is never used twice for another address. */
export interface HaproxyServer {
  readonly name: string;
  /** Of the instance: `environment/service/id@host:port`. */
  readonly instance: string;
  readonly of: ServedRelease;
  /** The host clients ask for it by, if there is only one. */
  readonly exposed?: string | undefined;
  readonly host: string;
  readonly port: number;
  /** `maint` gets nothing new; what runs on it goes on. */
  readonly state: 'ready' | 'maint';
}

/** A pre-declared backend of HAProxy, which has no way to make one while it runs: one release of one service at a time lives in it. */
export interface Slot {
  readonly name: string;
  readonly servers: readonly HaproxyServer[];
}

/** All that HAProxy is to be: what it is started with, and what is changed while it runs. */
export interface PlaneState {
  /** Names of all slots there are; more of them take another process. */
  readonly names: ReadonlySet<string>;
  readonly slots: readonly Slot[];
  /** By listener: the slot of every route that HAProxy answers by itself, see route-entries.ts. */
  readonly routes: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

export interface Bind {
  readonly host: string;
  readonly port: number;
  /** Names the listener; no later one has the same. */
  readonly name: string;
  /** Path of the unix socket where the embedded engine takes what HAProxy does not answer itself. */
  readonly relay: string;
}
