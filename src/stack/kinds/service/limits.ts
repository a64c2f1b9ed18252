import { z } from 'zod';
import { whole } from '../../fields/text.ts';

/** What an instance is protected from. */
export const limits = z.strictObject({
  concurrency: whole(1, 1_000_000).optional().describe('Requests an instance works on at the same time.'),
  queue: whole(0, 1_000_000).optional().describe('Requests that wait when all instances are at their limit; more are refused.'),
  priority: z.enum(['critical', 'normal', 'low']).default('normal').describe('Who is refused last when there is too much.'),
});
