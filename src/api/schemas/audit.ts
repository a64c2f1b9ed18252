import { z } from '@hono/zod-openapi';
import { json, timestamp } from './names.ts';

const auditRecord = z
  .object({
    sequence: z.number().int(),
    time: timestamp,
    actor: z.object({ name: z.string(), key: z.string().optional() }).readonly(),
    action: z.string(),
    phase: z.enum(['begun', 'ended', 'done']),
    of: z.number().int().optional(),
    outcome: z.enum(['succeeded', 'failed', 'cancelled']).optional(),
    error: z.string().optional(),
    environment: z.string().optional(),
    target: z.string().optional(),
    run: z.string().optional(),
    plan: z.string().optional(),
    planDigest: z.string().optional(),
    reason: z.string().optional(),
    details: z.record(z.string(), json).optional(),
    previous: z.string(),
    digest: z.string(),
  })
  .readonly()
  .openapi('AuditRecord');

/** `last`: pass it as `after` for the next page. */
export const auditPage = z.object({ items: z.array(auditRecord).readonly(), last: z.number().int() }).readonly();

export const auditVerification = z
  .object({
    ok: z.boolean(),
    records: z.number().int(),
    head: z.string().optional(),
    findings: z.array(z.object({ sequence: z.number().int().optional(), problem: z.string() }).readonly()).readonly(),
  })
  .readonly()
  .openapi('AuditVerification');

export type AuditPage = z.infer<typeof auditPage>;
export type AuditVerificationView = z.infer<typeof auditVerification>;
