import { z } from 'zod';
import { duration } from '../../fields/duration.ts';
import { label } from '../../fields/names.ts';
import { percentage } from '../../fields/percentage.ts';
import { ratio } from '../../fields/ratio.ts';
import { fraction, text, whole } from '../../fields/text.ts';
import { metrics } from './metrics.ts';

const attribute = text(128).regex(/^[^\s,;=]+$/, { error: 'the name of an attribute such as agent.outcome' });

/** Without it, nothing could be shown about what happens to nobody. */
function negligible() {
  const words =
    'Share of requests so small that no rise is worth catching: shown to be below it, the candidate passes however stable does.';
  return percentage().default('0.1%').describe(words);
}

const count = z.strictObject({
  name: label().describe('Name of the count, unique within the analysis.'),
  attribute: attribute.describe('Attribute of an answer, such as agent.outcome.'),
  value: text(64)
    .regex(/^[^\s,;]([^,;]*[^\s,;])?$/, { error: 'a value of an attribute: without commas, semicolons or spaces around it' })
    .describe('Answers in which the attribute has this value are counted.'),
  direction: z.enum(['must_not_rise', 'must_not_fall']).describe('Which way they must not go, beside stable.'),
  tolerate: ratio().default('1.0x').describe('By which factor they may rise, or fall.'),
  negligible: negligible(),
});

/** What decides over a candidate: it is compared with the stable release on the same traffic. */
const fields = z.strictObject({
  alpha: fraction().default(0.05).describe('Chance of a false rollback when there is no difference, however often it looks.'),
  error_rate: z
    .strictObject({
      tolerate: ratio().default('1.0x').describe("How many times the stable release's error rate is tolerated."),
      at_most: percentage().optional().describe('Share of the requests that may fail at most, whatever the stable release does.'),
      negligible: negligible(),
    })
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
      at_most: z
        .union(
          [
            duration(),
            z.record(z.string().regex(/^p(?!0+(\.0+)?$)\d{1,2}(\.\d{1,4})?$/, { error: 'a quantile such as p95 or p99.9' }), duration()),
          ],
          {
            error: 'a duration such as 800ms, or one for each quantile such as { p95: 800ms }',
          },
        )
        .optional()
        .describe(
          'How long requests may take at most at each of the quantiles, whatever the stable release does; or one limit a quantile: { p95: 800ms }.',
        ),
    })
    .optional()
    .describe('Compares how long requests take.'),
  decisions: z
    .strictObject({ attribute: text(128).describe('Attribute of an answer that names the decision, such as agent.decision.') })
    .optional()
    .describe('Compares the mix of decisions, which must not shift unnoticed.'),
  counts: z
    .array(count)
    .max(16, { error: 'at most 16 counts' })
    .default([])
    .describe('Compares how often answers say something of themselves in the header x-sluice-attributes.'),
  metrics: metrics
    .max(32, { error: 'at most 32 sources' })
    .default([])
    .describe('Further sources, each asked at its interval while a step is in force.'),
  min_requests: whole(1, 1_000_000_000)
    .default(100)
    .describe('Requests of the candidate, or users with affinity, below which it does not pass; what has failed has failed before.'),
  no_data: z
    .enum(['hold', 'rollback', 'continue'])
    .default('hold')
    .describe('What to do at the end of a step without enough requests, or without a value of a source.'),
});

/** Names by which a verdict speaks of what the gateway counts by itself. */
const taken = ['errors', 'latency', 'decisions'];

export const analysis = fields.superRefine((value, context) => {
  const seen = new Set(taken);
  for (const list of ['counts', 'metrics'] as const) {
    value[list].forEach(({ name }, index) => {
      if (seen.has(name))
        context.addIssue({ code: 'custom', path: [list, index, 'name'], message: 'a name that nothing else in the analysis has' });
      seen.add(name);
    });
  }
});
