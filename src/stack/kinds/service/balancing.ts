import { z } from 'zod';
import { duration } from '../../fields/duration.ts';
import { memory } from '../../fields/quantity.ts';
import { fieldName, whole } from '../../fields/text.ts';

/** When an instance that passes its checks is left out because its requests fail. */
export const outliers = z.strictObject({
  failures: whole(1, 1_000_000).default(5).describe('Requests in a row that fail (no answer, or 500, 502, 503 or 504).'),
  ejection: duration().default('10s').describe('How long it is left out the first time; up to ten times as long when it happens again.'),
  max_ejected: whole(0, 100)
    .default(50)
    .describe("Percentage of a release's instances that are left out at most; the last one never is. 0 turns it off."),
});

export const retries = z.strictObject({
  budget: z
    .number({ error: 'a number from 0 to 1' })
    .min(0, { error: 'a number from 0 to 1' })
    .max(1, { error: 'a number from 0 to 1' })
    .default(0.2)
    .describe('Retries as a share of the requests of the last ten seconds; three a second are allowed beside it. 0: none at all.'),
});

/** Answers that are shared between requests. */
export const responseCache = z.strictObject({
  ttl: duration().describe('How long an answer is used again that does not say so itself; its Cache-Control and Expires come first.'),
  methods: z
    .array(z.enum(['GET', 'HEAD'], { error: 'GET or HEAD: what a POST asks for is in its body, by which answers cannot be told apart' }))
    .min(1, { error: 'at least one method' })
    .default(['GET'])
    .describe('Methods whose answers are kept; one to GET also answers HEAD.'),
  vary: z
    .array(fieldName())
    .default([])
    .describe(
      'Request headers that make a difference, beside those an answer names in Vary. A request with Cookie or Authorization gets only what says itself that it may be shared, unless that header is named here.',
    ),
  size: memory()
    .default('64Mi')
    .describe('Memory for the answers; the least recently used go first, and none is kept that takes an eighth of it.'),
});
