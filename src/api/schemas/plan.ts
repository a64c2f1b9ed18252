import { z } from '@hono/zod-openapi';
import type { Plan } from '../../plan/plan.ts';
import { problem } from './error.ts';
import { address, blockName, environmentName, json, kind, resourceName, timestamp } from './names.ts';

const resourceNames = z.array(resourceName).max(1_000).default([]);

export const planRequest = z
  .strictObject({
    stack: z
      .string()
      .min(1)
      .max(1024)
      .openapi({ description: "File or folder, relative to the control plane's root folder", example: '.' }),
    environment: environmentName.optional(),
    variables: z.record(z.string().max(63), z.string().max(16_384)).optional(),
    secretVariables: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,255}$/), z.string().max(65_536))
      .optional()
      .openapi({
        description: "Values for `{ env }` secrets, which win over the control plane's own variables. Kept in memory, never written",
      }),
    mode: z.enum(['apply', 'destroy']).default('apply'),
    allowDestroy: resourceNames.openapi({ description: 'Protected and stateful resources that may be deleted or replaced all the same' }),
    allowMassDestroy: z.boolean().default(false).openapi({ description: 'Everything, or more than half of what there is, may be deleted' }),
    targets: resourceNames.openapi({ description: 'Only these and what they need' }),
    excludes: resourceNames.openapi({ description: 'All but these and what stands on them' }),
    refreshOnly: z.boolean().default(false).openapi({ description: 'Only record what was found; nothing real changes' }),
    adopt: z
      .array(z.strictObject({ address: resourceName, id: z.string().regex(/^[\x21-\x7e]{1,256}$/) }))
      .max(100)
      .default([])
      .openapi({ description: "Declared resources to take over, by the provider's id; the plan is limited to them and what they need" }),
    overrides: z
      .strictObject({
        service: blockName,
        env: z
          .record(
            z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,255}$/),
            z
              .string()
              .max(16_384)
              .regex(/^(?!.*\$\{)[^\0]*$/s, { error: 'text without NUL characters and without ${...}' }),
          )
          .optional(),
        source: z.string().min(1).max(1024).optional(),
        image: z.string().min(1).max(1024).optional(),
      })
      .refine(({ source, image }) => source === undefined || image === undefined, { error: 'source or image, not both' })
      .optional()
      .openapi({
        description:
          'Other environment variables, another source folder or another image for one service, until it is applied without them',
      }),
    save: z.boolean().default(false).openapi({ description: 'Keep the plan for 30 days instead of one' }),
  })
  .openapi('PlanRequest');

const fieldChange = z
  .object({
    path: z.string(),
    before: json.optional(),
    after: json.optional(),
    forcesReplacement: z.boolean(),
    origin: z.enum(['stack', 'default', 'content', 'drift', 'dependency']),
    because: z.string().optional().openapi({ description: 'How drift came about, where nobody has changed anything' }),
  })
  .readonly();

const change = z
  .object({
    address,
    kind,
    name: z.string(),
    action: z.enum(['create', 'adopt', 'update', 'move', 'replace', 'delete', 'refresh', 'none']),
    reason: z.string(),
    fields: z.array(fieldChange).readonly(),
    risk: z.enum(['none', 'low', 'medium', 'high']),
    downtime: z.boolean(),
    after: z.array(address).readonly(),
    from: address.optional(),
    id: z.string().optional(),
    version: z.number().int().optional(),
    outOfScope: z.literal(true).optional(),
    replacement: z
      .object({
        order: z.enum(['create_first', 'delete_first']),
        because: z.string().optional().openapi({ description: 'Why the old copy has to go before the new one comes' }),
        oldCopy: address.optional().openapi({ description: 'Where the old copy is recorded until nothing uses it any more' }),
        turns: z.array(address).readonly().optional(),
        staysFor: z.array(address).readonly().optional(),
      })
      .readonly()
      .optional(),
    rollout: z
      .object({
        strategy: z.string(),
        because: z.string().optional().openapi({ description: 'Why this strategy, where it was chosen and not declared' }),
        way: z.string().openapi({ description: 'In words: its steps, and what it is taken back for' }),
        refused: z.string().optional().openapi({ description: 'Why there will be no such rollout: an apply of it is refused' }),
        cost: z
          .object({
            extra: z
              .object({ least: z.number(), most: z.number() })
              .readonly()
              .openapi({ description: 'Instances beside those of the service' }),
            forMs: z.number().openapi({ description: 'How long at least; 0 where that is not known beforehand' }),
            instanceMinutes: z.number(),
            words: z.string(),
          })
          .readonly(),
      })
      .readonly()
      .optional()
      .openapi({ description: 'Which way a new release goes, and what that takes meanwhile' }),
    copyOf: address.optional().openapi({ description: 'The resource that this is a second copy of' }),
  })
  .readonly()
  .openapi('Change');

export const plan = z
  .object({
    id: z.string(),
    environment: z.string(),
    mode: z.enum(['apply', 'destroy']),
    stackDigest: z.string(),
    stateDigest: z.string(),
    createdAt: timestamp,
    changes: z.array(change).readonly(),
    problems: z.array(problem).readonly(),
    refreshOnly: z.literal(true).optional().openapi({ description: 'It only compares what is recorded with what is there' }),
    scope: z
      .object({
        targets: z.array(address).readonly(),
        excludes: z.array(address).readonly(),
        alsoIncluded: z.array(address).readonly(),
        alsoExcluded: z.array(address).readonly(),
      })
      .readonly()
      .optional(),
  })
  .readonly()
  .openapi('Plan') satisfies z.ZodType<Plan>;

export type PlanRequest = z.input<typeof planRequest>;
