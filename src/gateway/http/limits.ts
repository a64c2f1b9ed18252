/** Bounds on what one client or one instance can make the gateway wait for or hold. Times in milliseconds. */
export interface Limits {
  /** Bytes of all header lines together, of a request and of an answer. */
  readonly headerBytes: number;
  readonly headerCount: number;
  /** From the first byte of a request to the end of its header. */
  readonly requestHeadMs: number;
  /** Silence of the client while its body is awaited. */
  readonly bodyIdleMs: number;
  /** Idle connection of a client between two requests. */
  readonly clientKeepAliveMs: number;
  readonly connectMs: number;
  /** From the end of the request to the header of the answer. Agents think for long: generous. */
  readonly responseHeadMs: number;
  /** Silence in both directions while an answer streams. */
  readonly streamIdleMs: number;
  /** Silence in both directions on a WebSocket or other upgraded connection. */
  readonly upgradeIdleMs: number;
  /** Idle connection to an instance. Shorter than the keep-alive of common servers (Node and uvicorn: 5 s), so that they rarely race. */
  readonly upstreamKeepAliveMs: number;
  /** Tries of one request, the first included. */
  readonly attempts: number;
  /** Connections of clients to one process. When there are more, idle ones are closed; when none is, new ones are refused. */
  readonly clientConnections: number;
}

export const defaultLimits: Limits = {
  headerBytes: 32 * 1024,
  headerCount: 200,
  requestHeadMs: 20_000,
  bodyIdleMs: 30_000,
  clientKeepAliveMs: 65_000,
  connectMs: 3_000,
  responseHeadMs: 300_000,
  streamIdleMs: 300_000,
  upgradeIdleMs: 3_600_000,
  upstreamKeepAliveMs: 1_500,
  attempts: 3,
  clientConnections: 20_000,
};
