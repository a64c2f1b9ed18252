import { z } from '@hono/zod-openapi';
import { endpoint } from './endpoint.ts';
import { accessEndpoints } from './access-endpoints.ts';
import { databaseEndpoints } from './database-endpoints.ts';
import { flagEndpoints } from './flag-endpoints.ts';
import { gatewayEndpoints } from './gateway-endpoints.ts';
import { notificationEndpoints } from './notification-endpoints.ts';
import { yesOrNo } from './parameters.ts';
import { releaseEndpoints } from './release-endpoints.ts';
import { resourceEndpoints } from './resource-endpoints.ts';
import { rolloutEndpoints } from './rollout-endpoints.ts';
import { runEndpoints } from './run-endpoints.ts';
import { backup } from './schemas/backup.ts';
import { events } from './schemas/event.ts';
import { address, environmentName, identifier } from './schemas/names.ts';
import { accepted, health, shutdownRequest, status } from './schemas/status.ts';
import { serviceEndpoints } from './service-endpoints.ts';

/** The route table: every operation there is. `register` refuses what is not described here. */
export const endpoints = {
  health: endpoint({
    method: 'get',
    path: '/healthz',
    access: { public: true },
    summary: 'Whether the control plane answers; says nothing else',
    status: 200,
    answer: health,
  }),
  openApi: endpoint({
    method: 'get',
    path: '/openapi.json',
    access: { permission: 'read' },
    summary: 'This description',
    status: 200,
    answer: z.record(z.string(), z.unknown()),
  }),
  status: endpoint({
    method: 'get',
    path: '/v1/status',
    access: { permission: 'read' },
    summary: 'The control plane, its gateway and its environments',
    status: 200,
    answer: status,
  }),
  ...gatewayEndpoints,
  ...runEndpoints,
  ...resourceEndpoints,
  ...serviceEndpoints,
  ...releaseEndpoints,
  ...rolloutEndpoints,
  ...flagEndpoints,
  ...notificationEndpoints,
  ...databaseEndpoints,
  ...accessEndpoints,
  events: endpoint({
    method: 'get',
    path: '/v1/events',
    access: { permission: 'read' },
    summary: 'What happened; followed as server-sent events that resume by Last-Event-ID',
    status: 200,
    query: z.strictObject({
      after: z.coerce.number().int().min(0).optional(),
      environment: environmentName.optional(),
      address: address.optional(),
      run: identifier.optional(),
      limit: z.coerce.number().int().min(1).max(1_000).default(100),
      follow: yesOrNo.optional(),
    }),
    answer: events,
    streams: true,
  }),
  createBackup: endpoint({
    method: 'post',
    path: '/v1/state/backups',
    access: { permission: 'administer' },
    summary: 'Writes a complete copy of the state into the folder `backups` of the home; state.key is not in it',
    status: 201,
    answer: backup,
    audit: { action: 'state.backup' },
  }),
  shutdown: endpoint({
    method: 'post',
    path: '/v1/shutdown',
    access: { permission: 'administer' },
    summary: 'Ends the control plane, with or without what it runs',
    status: 202,
    body: shutdownRequest,
    answer: accepted,
    audit: { action: 'control_plane.shutdown', details: ['workloads'] },
  }),
};

export type Endpoints = typeof endpoints;
export type EndpointName = keyof Endpoints;
