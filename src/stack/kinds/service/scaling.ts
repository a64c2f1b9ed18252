import { z } from 'zod';
import { duration } from '../../fields/duration.ts';
import { whole } from '../../fields/text.ts';

/** Replicas by load, between bounds. */
export const scaling = z
  .strictObject({
    min: whole(0, 10_000).default(1).describe('Fewest instances.'),
    max: whole(1, 10_000).describe('Most instances.'),
    targets: z
      .strictObject({
        latency_p95: duration().optional().describe('Latency that 95 of 100 requests stay below.'),
        queue_depth: whole(1, 1_000_000).optional().describe('Waiting requests per instance.'),
        concurrency: whole(1, 1_000_000).optional().describe('Running requests per instance.'),
      })
      .refine((targets) => Object.values(targets).some((target) => target !== undefined), { error: 'at least one target' })
      .describe('What the number of instances is chosen for.'),
  })
  .refine(({ min, max }) => min <= max, { path: ['min'], error: 'not more than max' });
