import { z } from 'zod';
import { duration } from '../../fields/duration.ts';
import { fieldName, whole } from '../../fields/text.ts';

const rate = z.strictObject({
  by: z
    .union(
      [z.enum(['client', 'caller']), z.strictObject({ header: fieldName().describe('Request header whose values are counted apart.') })],
      { error: 'client, caller or { header: name }' },
    )
    .default('client')
    .describe(
      'What is counted apart: client (the address, of IPv6 its /64; of a call, the service), caller (the calling service; the public is one) or a header.',
    ),
  requests: whole(1, 1_000_000_000).describe('Requests that are let through in each period; more get 429 with Retry-After.'),
  per: duration()
    .refine((text) => /[1-9]/.test(text), { error: 'a period that is longer than nothing' })
    .default('1s')
    .describe('The period.'),
  burst: whole(1, 1_000_000_000).optional().describe('Requests that may come at once after a pause; as many as requests by default.'),
});

/** What an instance is protected from. */
export const limits = z
  .strictObject({
    concurrency: whole(1, 1_000_000)
      .optional()
      .describe('Requests an instance works on at the same time; those of the service are this times its ready instances.'),
    queue: whole(0, 1_000_000)
      .optional()
      .describe('Requests that wait when all instances are at their limit, 128 by default; more are refused with 503 and Retry-After.'),
    queue_timeout: duration().optional().describe('A request that has waited for so long is refused; 5s by default.'),
    priority: z
      .enum(['critical', 'normal', 'low'])
      .default('normal')
      .describe("Whose requests wait least and are refused last when there is too much; a call has its caller's."),
    rate: z.array(rate).default([]).describe('Limits on how fast requests come; a request has to be within all of them.'),
  })
  .superRefine(({ concurrency, queue, queue_timeout }, context) => {
    if (concurrency !== undefined) return;
    for (const [field, value] of Object.entries({ queue, queue_timeout })) {
      if (value === undefined) continue;
      context.addIssue({ code: 'custom', path: [field], message: 'left out: without concurrency no request has to wait' });
    }
  });
