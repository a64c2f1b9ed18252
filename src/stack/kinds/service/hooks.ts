import { z } from 'zod';
import { duration, parseDuration } from '../../fields/duration.ts';
import { label } from '../../fields/names.ts';
import { whole } from '../../fields/text.ts';
import { signingSecret, webhookUrl } from '../../fields/webhook.ts';

const longestMs = 3_600_000;

const fields = {
  name: label().describe('Name of the hook; unique among those of its list.'),
  url: webhookUrl().describe('Who is asked, by a POST: 2xx lets the rollout go on, 4xx is a no.'),
  secret: signingSecret().optional().describe('Secret the request is signed with.'),
  timeout: duration()
    .refine((text) => (parseDuration(text) ?? 0) > 0 && (parseDuration(text) ?? 0) <= longestMs, { error: 'a duration of at most 1h' })
    .default('30s')
    .describe('An answer that takes longer is none.'),
  retries: whole(0, 20).default(3).describe('Further attempts where no answer comes or a 5xx.'),
  on_failure: z
    .enum(['rollback', 'hold', 'continue'])
    .default('rollback')
    .describe('After a no, or the last attempt: the candidate is taken back, the rollout held for somebody to decide, or it goes on.'),
};

const ofStep = z.strictObject({
  ...fields,
  when: z
    .enum(['before', 'after'])
    .default('after')
    .describe('before: before the candidate gets the share of the step; after: before the step is left.'),
});

const ofRollout = z.strictObject({
  ...fields,
  when: z
    .enum(['start', 'end'])
    .default('start')
    .describe(
      'start: before the first request of the candidate, whose first instances are ready; end: when it has all requests, before it is completed.',
    ),
});

export const stepHooks = hooks(ofStep);
export const rolloutHooks = hooks(ofRollout);
export type HookFields = z.output<typeof ofStep> | z.output<typeof ofRollout>;

/** Names are what tells hooks apart in a rollout that is under way. */
function hooks<Schema extends typeof ofStep | typeof ofRollout>(schema: Schema) {
  return z
    .array(schema)
    .min(1, { error: 'at least one hook' })
    .max(20, { error: 'at most 20 hooks' })
    .superRefine((list, context) => {
      list.forEach(({ name }, index) => {
        if (list.slice(0, index).some((other) => other.name === name)) {
          context.addIssue({ code: 'custom', path: [index, 'name'], message: 'a name that no other hook of the list has' });
        }
      });
    });
}
