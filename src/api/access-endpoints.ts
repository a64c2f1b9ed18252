import { z } from '@hono/zod-openapi';
import { endpoint } from './endpoint.ts';
import { byId } from './parameters.ts';
import { auditPage, auditVerification } from './schemas/audit.ts';
import { createdKey, createKeyRequest, keys, keyView } from './schemas/key.ts';

/** The rows of the route table about keys and the record of what was done with them. */
export const accessEndpoints = {
  listAudit: endpoint({
    method: 'get',
    path: '/v1/audit',
    access: { permission: 'administer' },
    summary: 'The record of every change, oldest first',
    status: 200,
    query: z.strictObject({
      after: z.coerce.number().int().min(0).default(0),
      limit: z.coerce.number().int().min(1).max(1_000).default(500),
    }),
    answer: auditPage,
  }),
  verifyAudit: endpoint({
    method: 'get',
    path: '/v1/audit/verification',
    access: { permission: 'administer' },
    summary: 'Whether the record of changes is as it was written',
    status: 200,
    answer: auditVerification,
  }),
  listKeys: endpoint({
    method: 'get',
    path: '/v1/keys',
    access: { permission: 'administer' },
    summary: 'All keys, without the keys themselves',
    status: 200,
    answer: keys,
  }),
  createKey: endpoint({
    method: 'post',
    path: '/v1/keys',
    access: { permission: 'administer' },
    summary: 'Makes a key and shows it this one time',
    status: 201,
    body: createKeyRequest,
    answer: createdKey,
    audit: { action: 'key.create', details: ['name', 'role', 'environment', 'expiresInSeconds'] },
  }),
  revokeKey: endpoint({
    method: 'delete',
    path: '/v1/keys/{id}',
    access: { permission: 'administer' },
    summary: 'Ends a key at once; the last key that can administer is kept',
    status: 200,
    parameters: byId,
    answer: keyView,
    audit: { action: 'key.revoke' },
  }),
};
