/** One instance as a server of its slot. A server's name is never used twice for another address. */
export interface HaproxyServer {
  readonly name: string;
  /** Of the instance: `environment/service/id@host:port`. */
  readonly instance: string;
  readonly host: string;
  readonly port: number;
  /** `maint` gets nothing new; what runs on it goes on. */
  readonly state: 'ready' | 'maint';
  /** Requests it works on at a time and that may wait for it; 0: no bound. */
  readonly maxConnections: number;
  readonly maxQueue: number;
}

/** A pre-declared backend of HAProxy, which has no way to make one while it runs: one release of one service at a time lives in it. */
export interface Slot {
  readonly name: string;
  readonly servers: readonly HaproxyServer[];
}

/** Of HAProxy's configuration what can only be changed by starting it anew. */
export interface Shape {
  /** Names of the slots, each with the longest wait for a server in milliseconds; undefined: it has no limit to wait for. */
  readonly slots: ReadonlyMap<string, { readonly queueMs: number | undefined }>;
  /** Sources of units in use, as `sourceKey` writes them. */
  readonly sources: ReadonlySet<string>;
  readonly overrideHeaders: ReadonlySet<string>;
  readonly rateRules: readonly RateRule[];
  /** Ranges of points the largest split has. */
  readonly ranges: number;
  /** Whether any service has a priority. */
  readonly priorities: boolean;
}

/** One rate limit of one service, as a stick table of its own. */
export interface RateRule {
  /** `environment/name`. */
  readonly service: string;
  readonly table: string;
  readonly counter: 0 | 1 | 2;
  readonly key: { readonly by: 'client' } | { readonly by: 'caller' } | { readonly by: 'header'; readonly name: string };
  /** More than `requests` within `windowMs` are refused. */
  readonly requests: number;
  readonly windowMs: number;
}

/** All that HAProxy is to be: what it is started with, and what is changed while it runs. */
export interface PlaneState {
  readonly shape: Shape;
  readonly slots: readonly Slot[];
  /** Content of the routing map: every key begins with a letter that says what it is (see route-entries.ts). */
  readonly entries: ReadonlyMap<string, string>;
}

export interface Bind {
  readonly host: string;
  readonly port: number;
  /** Names the listener in keys of the routing map. */
  readonly name: string;
  readonly side: 'public' | 'internal';
}
