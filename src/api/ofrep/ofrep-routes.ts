import type { AccessRule } from '../endpoint.ts';

/** A route outside the table of endpoints, because its answers are those of a protocol; it has an access rule like every other. */
export interface ProtocolRoute {
  readonly method: 'GET' | 'POST' | 'OPTIONS';
  readonly path: string;
  readonly access: AccessRule;
}

const evaluating: AccessRule = { permission: 'evaluate', services: true };

export const streamPath = '/ofrep/v1/changes';
export const singlePrefix = '/ofrep/v1/evaluate/flags/';

/** OpenFeature Remote Evaluation Protocol 0.3. */
export const ofrepRoutes = {
  evaluateFlags: { method: 'POST', path: '/ofrep/v1/evaluate/flags', access: evaluating },
  /** A key may hold anything, slashes that nobody has encoded included. */
  evaluateFlag: { method: 'POST', path: `${singlePrefix}:key{.+}`, access: evaluating },
  flagChanges: { method: 'GET', path: streamPath, access: evaluating },
  preflight: { method: 'OPTIONS', path: '/ofrep/*', access: { public: true } },
} as const satisfies Readonly<Record<string, ProtocolRoute>>;
