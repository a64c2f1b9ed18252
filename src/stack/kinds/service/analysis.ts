import { z } from 'zod';
import { ratio } from '../../fields/ratio.ts';
import { fraction, text, whole } from '../../fields/text.ts';

/** What decides over a candidate: it is compared with the stable release on the same traffic. */
export const analysis = z.strictObject({
  alpha: fraction().default(0.05).describe('Chance of a false rollback when there is no difference, however often it looks.'),
  error_rate: z
    .strictObject({ tolerate: ratio().default('1.0x').describe("How many times the stable release's error rate is tolerated.") })
    .optional()
    .describe('Compares failed requests.'),
  latency: z
    .strictObject({
      quantiles: z
        .array(fraction())
        .min(1, { error: 'at least one quantile' })
        .default([0.5, 0.95, 0.99])
        .describe('Quantiles that are compared.'),
      tolerate: ratio().default('1.2x').describe("How many times the stable release's latency is tolerated."),
    })
    .optional()
    .describe('Compares how long requests take.'),
  decisions: z
    .strictObject({ attribute: text(128).describe('Attribute of an answer that names the decision, such as agent.decision.') })
    .optional()
    .describe('Compares the mix of decisions, which must not shift unnoticed.'),
  min_requests: whole(1, 1_000_000_000).default(100).describe('Requests of the candidate below which there is no verdict.'),
  no_data: z.enum(['hold', 'rollback', 'continue']).default('hold').describe('What to do at the end of a step without enough requests.'),
});
