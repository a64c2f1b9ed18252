import { z } from '@hono/zod-openapi';
import { address, json, jsonFields, timestamp } from './names.ts';

const variant = z.string().min(1).max(128);

const override = z
  .object({
    action: z.enum(['kill', 'serve', 'percent']),
    variant: z.string().optional(),
    percent: z.number().optional(),
    attribute: z.string().optional(),
    by: z.string(),
    at: timestamp,
    reason: z.string().optional(),
  })
  .readonly()
  .openapi('FlagOverride', { description: 'What was set by hand over the rules of the stack' });

const use = z
  .object({
    service: z.string().optional(),
    release: z.string().optional().openapi({ description: 'Absent where an API key asked' }),
    variant: z.string(),
    evaluations: z.number().int().openapi({ description: 'Of this flag by itself' }),
    fetches: z.number().int().openapi({ description: 'With all others, whether or not anybody needed it' }),
    lastAt: timestamp,
  })
  .readonly();

export const flagView = z
  .object({
    address,
    environment: z.string(),
    name: z.string(),
    variants: jsonFields,
    default: z.string(),
    rules: z.array(jsonFields).readonly(),
    serves: z.string().openapi({ description: 'In words, what was set by hand included', example: '2 rules, else off' }),
    override: override.optional(),
    changedAt: timestamp,
    usage: z
      .object({
        since: timestamp.optional(),
        lastAt: timestamp.optional(),
        evaluations: z.number().int(),
        fetches: z.number().int(),
        errors: z.number().int(),
        uses: z.array(use).readonly(),
      })
      .readonly(),
    stale: z.array(z.string()).readonly().openapi({ description: 'Why it can probably go; empty for one in use' }),
  })
  .readonly()
  .openapi('Flag');
export const flags = z.array(flagView).readonly();

export const setFlagRequest = z
  .strictObject({
    variant,
    percent: z.number().min(0).max(100).multipleOf(0.01).optional(),
    attribute: variant.optional().openapi({ description: 'What users are told apart by; the targeting key when absent' }),
  })
  .refine(({ percent, attribute }) => attribute === undefined || percent !== undefined, { error: 'an attribute goes with a percentage' })
  .openapi('SetFlagRequest');

export const previewFlagRequest = z
  .discriminatedUnion('change', [
    z.strictObject({
      change: z.literal('set'),
      variant,
      percent: z.number().min(0).max(100).multipleOf(0.01).optional(),
      attribute: variant.optional(),
    }),
    z.strictObject({ change: z.literal('kill') }),
    z.strictObject({ change: z.literal('clear') }),
  ])
  .openapi('PreviewFlagRequest');

export const flagPreview = z
  .object({
    address,
    change: z.enum(['set', 'kill', 'clear']),
    changes: z.boolean().openapi({ description: 'False where it would stay as it is' }),
    from: z.string().openapi({ description: 'What is served now, in words', example: '2 rules, else off' }),
    to: z.string().openapi({ description: 'What would be served', example: 'on to 25 % by user, 2 rules, else off to the others' }),
    users: z
      .array(z.string())
      .readonly()
      .openapi({ description: 'A line for each group of users: what it would get, and what it gets now' }),
    uses: z.array(use).readonly().openapi({ description: 'Who asks for the flag: services by release, or API keys' }),
    endsRollout: z.string().optional().openapi({ description: 'The rollout of a variant that would end by it' }),
  })
  .readonly()
  .openapi('FlagPreview');

export const flagHistory = z
  .array(
    z
      .object({
        time: timestamp,
        action: z.enum(['applied', 'removed', 'set', 'killed', 'cleared']),
        by: z.string(),
        reason: z.string().optional(),
        serves: z.string(),
      })
      .readonly(),
  )
  .readonly();

export const evaluateFlagRequest = z.strictObject({ context: jsonFields.optional() }).openapi('EvaluateFlagRequest');

export const flagEvaluation = z
  .object({
    key: z.string(),
    value: json.optional(),
    variant: z.string().optional(),
    reason: z.enum(['static', 'targeting_match', 'split', 'default', 'disabled']).optional(),
    matched: z.string().optional().openapi({ description: '`killed`, `override`, `default`, or the number of the rule that decided' }),
    errorCode: z.string().optional(),
    errorDetails: z.string().optional(),
  })
  .readonly()
  .openapi('FlagEvaluation');

export type FlagView = z.infer<typeof flagView>;
export type FlagHistory = z.infer<typeof flagHistory>;
export type SetFlagRequest = z.input<typeof setFlagRequest>;
export type PreviewFlagRequest = z.input<typeof previewFlagRequest>;
export type FlagPreview = z.infer<typeof flagPreview>;
export type EvaluateFlagRequest = z.input<typeof evaluateFlagRequest>;
export type FlagEvaluation = z.infer<typeof flagEvaluation>;
