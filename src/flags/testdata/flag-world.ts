import { createAdaptorServer } from '@hono/node-server';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ApiDependencies } from '../../api/ports.ts';
import { createApiFixture, type ApiFixture } from '../../api/testdata/api-fixture.ts';
import type { Json, JsonObject } from '../../digest/json.ts';
import { flag } from '../../stack/kinds/flag.ts';
import type { CreateRequest } from '../../providers/provider.ts';

export interface FlagWorld {
  readonly api: ApiFixture;
  readonly url: string;
  /** Applies a flag as a run would. */
  declare(environment: string, fields: JsonObject): Promise<void>;
  /** A service that runs instances of these releases; gives its token. */
  service(environment: string, name: string, releases: readonly string[]): Promise<string>;
}

/** The real API on a socket, over flags in an in-memory store. Ends with the test. */
export async function createFlagWorld(replace: Partial<ApiDependencies> = {}): Promise<FlagWorld> {
  const api = await createApiFixture({ allowedHosts: ['127.0.0.1'], ...replace });
  const server = createAdaptorServer({ fetch: api.app.fetch, overrideGlobalObjects: false }) as Server;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(async () => {
    api.close.abort();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    api,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    declare: async (environment, fields) => {
      await api.flagParts.provider.create(flagRequest(environment, fields), operation());
    },
    service: async (environment, name, releases) => {
      const token = randomBytes(32).toString('base64url');
      const address = `${environment}/service/${name}`;
      const value: Json = {
        address,
        environment,
        name,
        mode: 'running',
        token: { sealed: '', digest: createHash('sha256').update(token).digest('hex') },
        settings: {},
        revisions: releases.map((release, index) => ({ generation: index + 1, release })),
        instances: releases.map((_, index) => ({ id: `${name}-${index}`, generation: index + 1 })),
      };
      await api.store.transact([{ operation: 'put', collection: 'services', key: `${environment}/${name}`, value }]);
      return token;
    },
  };
}

export function operation(id = `operation-${randomBytes(4).toString('hex')}`) {
  return { id, signal: new AbortController().signal, progress: () => undefined };
}

/** What the engine gives a provider for a flag with these fields. */
export function flagRequest(environment: string, given: JsonObject): CreateRequest {
  const fields = flag.schema.parse(given) as unknown as JsonObject;
  const name = fields['name'] as string;
  return {
    address: `${environment}/flag/${name}`,
    environment,
    kind: 'flag',
    name,
    fields,
    declared: fields,
    fingerprint: {},
    root: '/',
    references: new Map(),
  };
}
