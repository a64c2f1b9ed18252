import { z } from '@hono/zod-openapi';
import type { ErrorCode } from '../../errors/catalogue.ts';

const code = z.custom<ErrorCode>((value) => typeof value === 'string').openapi({ type: 'string', example: 'plan_refused' });

export const problem = z
  .object({
    severity: z.enum(['error', 'warning', 'note']),
    code,
    message: z.string(),
    help: z.string(),
    position: z.object({ file: z.string(), line: z.number().int(), column: z.number().int() }).readonly().optional(),
    address: z.string().optional(),
  })
  .readonly()
  .openapi('Problem');

export const errorAnswer = z
  .object({
    error: z.object({
      code,
      message: z.string(),
      help: z.string(),
      retry: z.enum(['terminal', 'wait', 'retry']),
      problems: z.array(problem).readonly().optional(),
    }),
  })
  .openapi('Error');

export type ErrorAnswer = z.infer<typeof errorAnswer>;
