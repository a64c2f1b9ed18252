import { z } from '@hono/zod-openapi';
import { timestamp } from './names.ts';

const percent = z.number().gt(0).lt(100).multipleOf(0.01);

export const startFlagRolloutRequest = z
  .strictObject({
    variant: z.string().min(1).max(128),
    service: z
      .string()
      .min(1)
      .max(128)
      .openapi({ description: 'Whose answers name the variant in `x-sluice-attributes: flag.NAME=VARIANT, flag-key=USER`' }),
    steps: z.array(percent).min(1).max(20).default([5, 25, 50]).openapi({ description: 'Percentages of users, growing' }),
    stepMs: z.number().int().min(1_000).max(2_592_000_000).default(300_000).openapi({ description: 'How long each lasts at least' }),
    noticeMs: z
      .number()
      .int()
      .min(0)
      .max(3_600_000)
      .default(5_000)
      .openapi({ description: 'How long clients may take to notice a change' }),
    attribute: z.string().min(1).max(128).default('user').openapi({ description: 'What users are told apart by' }),
    alpha: z.number().gt(0).lt(1).default(0.05).openapi({ description: 'Chance of taking back what does no harm' }),
    errorTolerance: z.number().min(1).max(100).default(1),
    latency: z.strictObject({ quantile: z.number().gt(0).lt(1), tolerance: z.number().min(1).max(100) }).optional(),
    minUnits: z.number().int().min(1).max(1_000_000_000).default(100),
  })
  .openapi('StartFlagRolloutRequest');

export const flagRolloutView = z
  .object({
    environment: z.string(),
    flag: z.string(),
    variant: z.string(),
    service: z.string(),
    percent: z.number().openapi({ description: 'Of the users, that are served the variant now' }),
    steps: z.array(z.number()).readonly(),
    step: z.number().int().openapi({ description: 'Counted from 1' }),
    startedAt: timestamp,
    by: z.string(),
    reason: z.string().optional(),
    waits: z.string().openapi({ description: 'Why it does not go on at this moment, or how it ended' }),
    verdict: z.enum(['pass', 'fail', 'inconclusive', 'error']).optional(),
    evidence: z.array(z.string()).readonly(),
    outcome: z.enum(['completed', 'failed', 'stopped']).optional(),
    endedAt: timestamp.optional(),
  })
  .readonly()
  .openapi('FlagRollout');

export type FlagRolloutView = z.infer<typeof flagRolloutView>;
export type StartFlagRolloutRequest = z.input<typeof startFlagRolloutRequest>;
/** With every default. */
export type FlagRolloutOrder = z.output<typeof startFlagRolloutRequest>;
