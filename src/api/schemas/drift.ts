import { z } from '@hono/zod-openapi';
import { address, json, kind, timestamp } from './names.ts';

const driftField = z
  .object({
    field: z.string(),
    applied: json,
    observed: json,
    /** Whether somebody has accepted it; accepted differences are not repaired. */
    accepted: z.boolean(),
    because: z.string().optional().openapi({ description: 'How it came about, where nobody has changed anything' }),
  })
  .readonly();

export const driftReport = z
  .object({
    environment: z.string(),
    checkedAt: timestamp,
    /** Resources that were looked at. */
    checked: z.number().int(),
    items: z
      .array(
        z
          .object({
            address,
            kind,
            name: z.string(),
            /** `unknown`: it could not be read, `error` says why. */
            status: z.enum(['changed', 'absent', 'unknown', 'accepted']),
            fields: z.array(driftField).readonly(),
            error: z.string().optional(),
          })
          .readonly()
          .openapi('DriftItem'),
      )
      .readonly(),
  })
  .readonly()
  .openapi('DriftReport');

export type DriftReport = z.infer<typeof driftReport>;
