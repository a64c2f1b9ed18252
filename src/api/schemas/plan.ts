import { z } from '@hono/zod-openapi';
import type { Plan } from '../../plan/plan.ts';
import { problem } from './error.ts';
import { address, environmentName, json, kind, timestamp } from './names.ts';

export const planRequest = z
  .strictObject({
    stack: z
      .string()
      .min(1)
      .max(1024)
      .openapi({ description: "File or folder, relative to the control plane's root folder", example: '.' }),
    environment: environmentName.optional(),
    variables: z.record(z.string().max(63), z.string().max(16_384)).optional(),
    mode: z.enum(['apply', 'destroy']).default('apply'),
    allowDestroy: z.boolean().default(false).openapi({ description: 'Also delete or replace what the stack protects' }),
  })
  .openapi('PlanRequest');

const fieldChange = z
  .object({
    path: z.string(),
    before: json.optional(),
    after: json.optional(),
    forcesReplacement: z.boolean(),
    origin: z.enum(['stack', 'default', 'content', 'drift', 'dependency']),
  })
  .readonly();

const change = z
  .object({
    address,
    kind,
    name: z.string(),
    action: z.enum(['create', 'update', 'replace', 'delete', 'none']),
    reason: z.string(),
    fields: z.array(fieldChange).readonly(),
    risk: z.enum(['none', 'low', 'medium', 'high']),
    downtime: z.boolean(),
    after: z.array(address).readonly(),
  })
  .readonly()
  .openapi('Change');

export const plan = z
  .object({
    id: z.string(),
    environment: z.string(),
    mode: z.enum(['apply', 'destroy']),
    stackDigest: z.string(),
    stateDigest: z.string(),
    createdAt: timestamp,
    changes: z.array(change).readonly(),
    problems: z.array(problem).readonly(),
  })
  .readonly()
  .openapi('Plan') satisfies z.ZodType<Plan>;

export type PlanRequest = z.input<typeof planRequest>;
