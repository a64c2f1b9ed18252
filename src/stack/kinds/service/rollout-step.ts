import { z } from 'zod';
import { duration } from '../../fields/duration.ts';
import { whole } from '../../fields/text.ts';

const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export const step = z.strictObject({
  weight: whole(0, 100).optional().describe('Percentage of new requests for the candidate.'),
  mirror: whole(1, 100)
    .optional()
    .describe(
      'Instead of a weight: percentage of the requests that are copied to the candidate. Its answers are dropped; no user meets it.',
    ),
  methods: z
    .array(z.enum(methods))
    .min(1, { error: 'at least one method' })
    .optional()
    .describe('Methods of the requests that are copied: GET, HEAD and OPTIONS unless said. A copied POST does what it does a second time.'),
  for: duration().optional().describe('How long the step lasts at least.'),
  approval: z.boolean().default(false).describe('Whether somebody has to promote it before the next step.'),
  analysis: z.literal('pass').optional().describe('pass: the step does not end before the evidence has passed the candidate.'),
  within: duration()
    .optional()
    .describe(
      'Of a step with analysis: how long it waits for that at most, from its beginning; then no_data says what happens. By default 1h.',
    ),
});

type Step = z.infer<typeof step>;

/** What a step cannot say because of itself or those before it, by index and field. */
export function stepIssues(
  steps: readonly Step[],
): readonly { readonly index: number; readonly field: keyof Step; readonly message: string }[] {
  return steps.flatMap(({ weight, mirror, methods: copied }, index) => {
    const at = (field: keyof Step, message: string) => ({ index, field, message });
    if (mirror === undefined && copied !== undefined) return [at('methods', 'left out: there is no mirror they would be of')];
    if ((weight === undefined) === (mirror === undefined)) return [at('weight', 'either weight or mirror')];
    const before = steps.slice(0, index).map((each) => each.weight ?? 0);
    if (mirror !== undefined && before.some((each) => each > 0))
      return [at('mirror', 'a step before those with a weight: by then users meet it')];
    return weight !== undefined && weight < (before.at(-1) ?? 0) ? [at('weight', 'not less than the weight of the step before it')] : [];
  });
}

/** What a step cannot wait for. */
export function awaitIssues(steps: readonly Step[], hasAnalysis: boolean): ReturnType<typeof stepIssues> {
  return steps.flatMap(({ analysis, within, approval, mirror }, index) => {
    const at = (field: keyof Step, message: string) => ({ index, field, message });
    if (analysis === undefined) return within === undefined ? [] : [at('within', 'left out: it belongs to a step with analysis: pass')];
    if (!hasAnalysis) return [at('analysis', 'left out: the rollout has no analysis')];
    if (approval) return [at('analysis', 'left out: a step with approval ends when somebody promotes it')];
    return mirror === undefined ? [] : [at('analysis', 'left out: copies can fail a candidate and never pass it')];
  });
}

/** What is in the way of a comparison with fresh instances. */
export function baselineIssues(rollout: { readonly analysis?: unknown; readonly steps?: readonly Step[] | undefined }): readonly string[] {
  if (rollout.analysis === undefined) return ['left out: there is no analysis that would compare with it'];
  const isWarmed = rollout.steps?.some(({ mirror }) => mirror !== undefined) === true;
  return isWarmed ? ['left out: a candidate that copies have warmed is compared with stable as it is'] : [];
}
