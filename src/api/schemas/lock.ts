import { z } from '@hono/zod-openapi';
import { timestamp } from './names.ts';

export const lock = z
  .object({
    environment: z.string(),
    /** Absent when nobody is changing the environment. */
    holder: z
      .object({
        host: z.string(),
        pid: z.number().int(),
        since: timestamp,
        expiresAt: timestamp,
        work: z.enum(['apply', 'destroy', 'suspend', 'resume', 'edit']),
        run: z.string().optional(),
        /** Name of the key that started the run. */
        by: z.string().optional(),
        reason: z.string().optional(),
        /** False only when it is certain that the process is gone. */
        mayBeAlive: z.boolean(),
      })
      .readonly()
      .optional(),
  })
  .readonly()
  .openapi('Lock');

export const unlockRequest = z
  .strictObject({ since: timestamp.openapi({ description: 'Of the holder that is meant: a later one is left alone' }) })
  .openapi('UnlockRequest');

export type LockView = z.infer<typeof lock>;
