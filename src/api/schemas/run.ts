import { z } from '@hono/zod-openapi';
import { errorAnswer } from './error.ts';
import { address, timestamp } from './names.ts';

const runChange = z
  .object({
    address,
    action: z.enum(['create', 'adopt', 'update', 'move', 'replace', 'delete', 'refresh']),
    status: z.enum(['pending', 'running', 'done', 'failed', 'skipped']),
    error: errorAnswer.shape.error.optional(),
  })
  .readonly()
  .openapi('RunChange');

/** One apply or destroy. It goes on in the control plane whether or not somebody watches. */
export const run = z
  .object({
    id: z.string(),
    plan: z.string(),
    environment: z.string(),
    mode: z.enum(['apply', 'destroy']),
    status: z.enum(['running', 'succeeded', 'failed', 'cancelled']),
    /** Name of the key that started it, and why. */
    by: z.string().optional(),
    reason: z.string().optional(),
    startedAt: timestamp,
    finishedAt: timestamp.optional(),
    /** Why the whole run failed, when it is not the error of one change. */
    error: errorAnswer.shape.error.optional(),
    changes: z.array(runChange).readonly(),
  })
  .readonly()
  .openapi('Run');

export const runs = z.array(run).readonly();

export type Run = z.infer<typeof run>;
export type RunChange = z.infer<typeof runChange>;
