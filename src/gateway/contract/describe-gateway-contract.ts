import { describe } from 'vitest';
import type { GatewayKind } from './gateway-under-test.ts';
import { describeHeaders } from './headers.ts';
import { describeLimits } from './limits.ts';
import { describeMalformed } from './malformed.ts';
import { describePolicies } from './policies.ts';
import { describeProxying } from './proxying.ts';
import { describeRetries } from './retries.ts';
import { describeTables } from './tables.ts';
import { describeTelling } from './telling.ts';
import { describeWebSockets } from './websockets.ts';

/** What every data plane must do, over real sockets. */
export function describeGatewayContract(kind: GatewayKind): void {
  describe(`gateway contract: ${kind.name}`, () => {
    describe('tables', () => describeTables(kind));
    describe('requests and answers', () => describeProxying(kind));
    describe('headers', () => describeHeaders(kind));
    describe('failures', () => describeRetries(kind));
    describe('limits', () => describeLimits(kind));
    describe('broken requests', () => describeMalformed(kind));
    describe('what is told', () => describeTelling(kind));
    describe('WebSockets', () => describeWebSockets(kind));
    if (kind.can.policies) describe('policies', () => describePolicies(kind));
  });
}
