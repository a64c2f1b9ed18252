import { z } from '@hono/zod-openapi';
import { errorAnswer } from './error.ts';
import { address, timestamp } from './names.ts';

const backup = z
  .object({
    id: z.string(),
    startedAt: timestamp,
    stoppedAt: timestamp.openapi({ description: 'The first time that can be restored with it' }),
    bytes: z.number(),
  })
  .readonly()
  .openapi('DatabaseBackup');

export const databaseBackups = z
  .object({
    retentionDays: z.number().int(),
    items: z.array(backup).readonly().openapi({ description: 'Base backups, oldest first' }),
    restorable: z
      .array(z.object({ from: timestamp, to: timestamp.optional() }).readonly())
      .readonly()
      .openapi({ description: 'Stretches of time that can be restored; one without `to` reaches to the present' }),
    replaced: z
      .array(z.object({ folder: z.string(), at: timestamp }).readonly())
      .readonly()
      .openapi({ description: 'Data that a restore took out of use and that is still there' }),
  })
  .readonly()
  .openapi('DatabaseBackups');

export const restoreRequest = z
  .strictObject({
    to: z.string().max(40).openapi({
      description: 'A time of RFC 3339 with its zone, or `latest`. What was committed until then, and exactly then, is restored',
      example: '2026-11-22T10:00:00Z',
    }),
  })
  .openapi('DatabaseRestoreRequest');

export const databaseRestorePlan = z
  .object({ to: timestamp, backup, segments: z.number().int() })
  .readonly()
  .openapi('DatabaseRestorePlan', { description: 'The base backup a restore would begin with, and how much of the log it would replay' });

/** One backup or restore. It goes on in the control plane whether or not somebody watches; its events carry its id in `data.operation`. */
export const databaseOperation = z
  .object({
    id: z.string(),
    address,
    kind: z.enum(['backup', 'restore']),
    status: z.enum(['running', 'succeeded', 'failed']),
    startedAt: timestamp,
    finishedAt: timestamp.optional(),
    by: z.string().openapi({ description: 'Name of the key that asked for it' }),
    to: z.string().optional(),
    /** Of a backup: itself. */
    backup: backup.optional(),
    restored: z.object({ recoveredTo: timestamp.optional(), backup: z.string() }).readonly().optional(),
    error: errorAnswer.shape.error.optional(),
  })
  .readonly()
  .openapi('DatabaseOperation');

export type DatabaseBackups = z.infer<typeof databaseBackups>;
export type DatabaseRestorePlan = z.infer<typeof databaseRestorePlan>;
export type DatabaseOperation = z.infer<typeof databaseOperation>;
