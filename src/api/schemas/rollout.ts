import { z } from '@hono/zod-openapi';
import { timestamp } from './names.ts';

const evidence = z
  .array(z.string())
  .readonly()
  .openapi({ description: 'In words: one line a metric with its confidence interval, then what follows from it' });

const verdict = z.enum(['pass', 'fail', 'inconclusive', 'error']);

const tally = z.number().int();
const finding = z
  .object({
    name: z.string(),
    source: z.enum(['gateway', 'prometheus', 'http', 'command']),
    verdict,
    message: z.string(),
    value: z.number().optional().openapi({ description: 'What a source gave last' }),
    of: z.string().optional().openapi({ description: 'Quantile or value the interval is of' }),
    events: z
      .object({ candidate: tally, stable: tally })
      .readonly()
      .optional()
      .openapi({ description: 'What was counted where it could have gone to both; with `limit`, of the candidate' }),
    confidence: z.number().optional().openapi({ description: 'Of the interval, such as 0.95' }),
    interval: z
      .object({ low: z.number().optional(), high: z.number().optional() })
      .readonly()
      .optional()
      .openapi({ description: 'Ratio to stable or, with `limit`, share of the candidate’s requests; always valid' }),
    limit: z.number().optional().openapi({ description: 'Share of the candidate’s requests that is allowed at most' }),
    harm: z.number().optional().openapi({ description: 'E-value against "no worse than tolerated"; it fails at `bar`' }),
    safety: z.number().optional().openapi({ description: 'E-value against "worse by as much as is worth catching"; it passes at `bar`' }),
    bar: z.number().optional(),
    measurements: z
      .object({ passed: z.number().int(), failed: z.number().int(), withoutData: z.number().int(), errors: z.number().int() })
      .readonly()
      .optional(),
  })
  .readonly();

const findings = z
  .array(finding)
  .readonly()
  .optional()
  .openapi({ description: 'The evidence for programs: each metric and source with its numbers' });
const copies = z.object({ percent: z.number(), methods: z.array(z.string()).readonly() }).readonly();

const experimentView = z
  .object({
    metric: z.object({ attribute: z.string(), value: z.string(), goal: z.enum(['more', 'fewer']) }).readonly(),
    arms: z
      .array(
        z
          .object({
            name: z.string(),
            release: z.string(),
            weight: z.number().openapi({ description: 'Percentage of new requests' }),
            ready: tally,
            units: tally.openapi({ description: 'Users with an outcome' }),
            events: tally.openapi({ description: 'Those of them with the outcome that is counted' }),
            besideControl: z
              .object({ low: z.number().optional(), high: z.number().optional(), verdict: z.enum(['better', 'worse', 'open']) })
              .readonly()
              .optional()
              .openapi({ description: "How many times control's rate, always valid; an absent end is unknown" }),
            safety: z
              .object({ verdict: z.enum(['pass', 'fail', 'inconclusive', 'error']), evidence })
              .readonly()
              .optional()
              .openapi({ description: 'Whether it does harm beside stable' }),
            withdrawn: z.string().optional().openapi({ description: 'Why it was taken out: its users are those of control' }),
          })
          .readonly(),
      )
      .readonly()
      .openapi({ description: 'The plain candidate first' }),
    control: z.object({ units: tally, events: tally }).readonly(),
    outcome: z
      .enum(['winner', 'control', 'no_difference', 'error'])
      .optional()
      .openapi({ description: '`control`: every arm is worse; absent while nothing has been concluded' }),
    winner: z.string().optional(),
    promoted: z.string().optional().openapi({ description: 'The arm that goes on as the candidate' }),
    words: evidence,
  })
  .readonly()
  .openapi('Experiment');

export const rolloutView = z
  .object({
    release: z.string(),
    version: z.string(),
    from: z.string().optional().openapi({ description: 'The release in use meanwhile; absent for a first deployment' }),
    strategy: z.string().openapi({ description: '`rollback` for the return to an earlier release' }),
    because: z.string().optional().openapi({ description: 'Why this strategy, where it was chosen and not declared' }),
    startedAt: timestamp,
    by: z.string().optional(),
    why: z.string().optional(),
    weight: z.number().openapi({ description: 'Percentage of new requests the candidate is given' }),
    copies: copies.optional().openapi({ description: 'Requests that are copied to the candidate; nobody gets its answers' }),
    baseline: z
      .object({ instances: z.number().int(), ready: z.number().int() })
      .readonly()
      .optional()
      .openapi({ description: 'Fresh instances of the stable release that the candidate is compared with' }),
    stages: z
      .object({
        current: z.number().int().openapi({ description: 'Counts from 1' }),
        steps: z
          .array(
            z
              .object({
                weight: z.number(),
                mirror: copies.optional(),
                forMs: z.number(),
                approval: z.boolean(),
                experiment: z.literal(true).optional(),
                passWithinMs: z
                  .number()
                  .optional()
                  .openapi({ description: 'It ends with the verdict `pass`, which is waited for so long' }),
              })
              .readonly(),
          )
          .readonly(),
      })
      .readonly()
      .optional()
      .openapi({ description: 'Only of strategies that go by stages' }),
    hooks: z
      .array(
        z
          .object({
            hook: z.string().openapi({ description: 'Its place and its name', example: 'stage-2/after/load-test' }),
            status: z.enum(['due', 'passed', 'failed', 'overruled']),
            since: timestamp,
            reason: z.string().optional(),
          })
          .readonly(),
      )
      .readonly()
      .optional()
      .openapi({ description: 'Those that have been reached' }),
    paused: z.object({ reason: z.string(), since: timestamp }).readonly().optional(),
    waits: z
      .object({
        for: z.enum(['approval', 'resume', 'instances', 'smoke', 'gateway', 'hook', 'time', 'evidence']),
        message: z.string(),
        until: timestamp.optional(),
      })
      .readonly()
      .openapi({ description: 'Why it does not go on at this moment' }),
    verdict: verdict.optional(),
    units: z
      .object({ seen: tally, of: z.enum(['requests', 'users', 'copies']) })
      .readonly()
      .optional()
      .openapi({
        description: 'Of the candidate: what the evidence is of',
      }),
    findings,
    evidence,
    experiment: experimentView.optional().openapi({ description: 'From when its arms are being brought up to the end of the rollout' }),
  })
  .readonly()
  .openapi('Rollout');

const rolloutRecord = z
  .object({
    generation: z.number().int(),
    release: z.string(),
    version: z.string(),
    from: z.string().optional(),
    strategy: z.string(),
    because: z.string().optional().openapi({ description: 'Why this strategy, where it was chosen and not declared' }),
    startedAt: timestamp,
    by: z.string().optional().openapi({ description: 'Who began it' }),
    why: z.string().optional(),
    endedAt: timestamp.optional(),
    outcome: z.enum(['completed', 'failed', 'superseded']).optional().openapi({ description: 'Absent while it is under way' }),
    reason: z.string().optional().openapi({ description: 'Why it failed' }),
    endedBy: z.string().optional().openapi({ description: 'Who ended it, where somebody did' }),
    evidence: evidence.optional(),
    experiment: z
      .object({
        outcome: z.enum(['winner', 'control', 'no_difference', 'error', 'undecided']),
        winner: z.string().optional(),
        promoted: z.string().optional(),
        arms: z.array(z.object({ name: z.string(), release: z.string(), withdrawn: z.string().optional() }).readonly()).readonly(),
        words: evidence,
      })
      .readonly()
      .optional()
      .openapi({ description: 'What came of its experiment; `undecided`: it was ended before anything was concluded' }),
  })
  .readonly()
  .openapi('RolloutRecord');

export const rollouts = z.array(rolloutRecord).readonly();

export const weights = z
  .array(z.object({ release: z.string(), percent: z.number(), ready: z.number().int(), baseline: z.literal(true).optional() }).readonly())
  .readonly()
  .openapi({ description: 'How new requests are shared out, and the ready instances of each release' });

export const failure = z.object({ release: z.string(), reason: z.string(), evidence, findings }).readonly();
export const previous = z.object({ release: z.string(), until: timestamp }).readonly();

const releaseId = z.string().regex(/^r-[0-9a-f]{12}$/);

export const promoteRequest = z
  .strictObject({
    full: z.boolean().default(false).openapi({ description: 'To the whole at once, not only to the next stage' }),
    arm: z
      .string()
      .max(64)
      .optional()
      .openapi({ description: 'Of an experiment, the arm that goes on as the candidate; `candidate`, the plain one, unless named' }),
    from: z
      .strictObject({
        release: releaseId.openapi({ description: 'The candidate' }),
        stage: z.number().int().min(1).max(1_000).openapi({ description: 'Counts from 1, as `stages.current` does' }),
      })
      .optional()
      .openapi({
        description:
          'What is promoted from: sent twice, it is done once, and a stage that is over changes nothing. Needed where no Idempotency-Key is sent',
      }),
  })
  .openapi('PromoteRequest');
export type PromoteRequest = z.input<typeof promoteRequest>;

export const rollbackRequest = z
  .strictObject({
    to: releaseId.optional().openapi({ description: 'A release of the history; the one before unless named' }),
  })
  .openapi('RollbackRequest');

export type RolloutRecordView = z.infer<typeof rolloutRecord>;
