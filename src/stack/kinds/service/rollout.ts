import { z } from 'zod';
import { allowance, isNone } from '../../fields/allowance.ts';
import { duration } from '../../fields/duration.ts';
import { hostName, text, urlPath } from '../../fields/text.ts';
import { analysis } from './analysis.ts';
import { rolloutHooks } from './hooks.ts';
import { experiment } from './experiment.ts';
import { experimentIssues } from './experiment-issues.ts';
import { metrics } from './metrics.ts';
import { awaitIssues, baselineIssues, step, stepIssues } from './rollout-step.ts';

const strategies = ['rolling', 'blue_green', 'canary', 'auto'] as const;

const affinity = z.union(
  [
    z.strictObject({ cookie: text(128).describe('Name of the cookie that tells users apart.') }),
    z.strictObject({ header: text(128).describe('Name of the request header that tells users apart.') }),
    z.strictObject({ user: z.literal(true).describe('The user: the header x-sluice-user, else the subject of a bearer token.') }),
  ],
  { error: 'either cookie, header or user' },
);

const preview = z.strictObject({
  host: hostName()
    .optional()
    .describe(
      'Host name under which the public listener answers by the candidate, from when it is ready until the switch. Whoever knows it gets in.',
    ),
  for: duration().default('0s').describe('How long it lasts at least.'),
  approval: z.boolean().default(false).describe('Whether somebody has to promote it before the switch.'),
  metrics: metrics
    .max(32, { error: 'at most 32 sources' })
    .default([])
    .describe('What has to pass before the switch, each asked at its interval: Prometheus, HTTP checks and commands.'),
  no_data: z.enum(['hold', 'rollback', 'continue']).default('hold').describe('What to do when a source has no value in the end.'),
});

const fields = z.strictObject({
  strategy: z.enum(strategies).default('rolling').describe('How the candidate takes over; auto picks by risk and says why.'),
  max_surge: allowance()
    .default(1)
    .describe('rolling: instances beyond the declared number while it is replaced; a percentage is rounded up.'),
  max_unavailable: allowance()
    .default(0)
    .describe('rolling: instances that may be missing from the declared number; a percentage is rounded down.'),
  progress_deadline: duration().default('2m').describe('Without progress for so long the rollout has failed.'),
  affinity: affinity.optional().describe('canary: keeps a user on one side.'),
  steps: z.array(step).min(1, { error: 'at least one step' }).optional().describe('canary: how the weight grows; it ends with the whole.'),
  analysis: analysis
    .optional()
    .describe('canary: the evidence that decides. One that names nothing to compare, such as `{}`, compares failed requests and latency.'),
  experiment: experiment.optional().describe('canary: variants of the candidate, compared on a business metric between the steps.'),
  baseline: z
    .boolean()
    .optional()
    .describe('canary: compares the candidate with as many fresh instances of the stable release, as young and as cold as its own.'),
  on_failure: z.enum(['rollback', 'hold']).default('rollback').describe('What happens when the evidence turns against the candidate.'),
  hooks: rolloutHooks.optional().describe('Who is asked before the candidate gets its first request, or at the end.'),
  keep_previous: duration().optional().describe('blue_green: how long the previous release stays ready after the switch.'),
  preview: preview
    .optional()
    .describe(
      'blue_green: before the switch the whole candidate answers those alone who ask for it, by the header x-sluice-release or by a host of its own.',
    ),
  smoke: z
    .strictObject({
      path: urlPath().describe('Path that must answer with a status from 200 to 399.'),
      timeout: duration().default('10s').describe('An answer that takes longer has failed.'),
    })
    .optional()
    .describe('blue_green: request to the candidate before it gets any user.'),
});

/** Fields that only one strategy looks at. With `auto` they hold where it is chosen. */
export const fieldsOfOneStrategy = {
  affinity: 'canary',
  steps: 'canary',
  analysis: 'canary',
  experiment: 'canary',
  baseline: 'canary',
  keep_previous: 'blue_green',
  preview: 'blue_green',
  smoke: 'blue_green',
} as const;

/** How a release replaces another. A field of another strategy than the declared one is an error: it would be ignored. */
export const rollout = fields.superRefine((value, context) => {
  for (const [field, strategy] of Object.entries(fieldsOfOneStrategy)) {
    if (value[field as keyof typeof fieldsOfOneStrategy] !== undefined && value.strategy !== strategy && value.strategy !== 'auto') {
      context.addIssue({
        code: 'custom',
        path: [field],
        message: `left out: it belongs to the strategy ${strategy}, not ${value.strategy}`,
      });
    }
  }
  // Whatever the strategy: a first deployment, a restart and a changed secret are rolled.
  if (isNone(value.max_surge) && isNone(value.max_unavailable)) {
    context.addIssue({ code: 'custom', path: ['max_surge'], message: 'at least 1 when max_unavailable is 0: otherwise nothing can move' });
  }
  if (value.strategy === 'canary' && value.steps === undefined) {
    context.addIssue({ code: 'custom', path: [], message: 'an object with steps, because the strategy is canary' });
  }
  for (const { field, message } of experimentIssues(value)) context.addIssue({ code: 'custom', path: [...field], message });
  const { steps = [] } = value;
  for (const { index, field, message } of [
    ...stepIssues(steps),
    ...awaitIssues(steps, value.analysis !== undefined || value.strategy === 'auto'),
  ]) {
    context.addIssue({ code: 'custom', path: ['steps', index, field], message });
  }
  if (value.baseline === true) {
    // A canary that is chosen is judged, whether or not it is said how.
    const judged = value.strategy === 'auto' ? { analysis: {}, ...value } : value;
    for (const message of baselineIssues(judged)) context.addIssue({ code: 'custom', path: ['baseline'], message });
  }
});
