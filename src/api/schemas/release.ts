import { z } from '@hono/zod-openapi';
import { address, json, timestamp } from './names.ts';

const state = z.enum(['stable', 'candidate', 'arm', 'failed', 'superseded', 'kept']).openapi({
  description:
    'What the service does with it; an arm is of the experiment under way, a kept one was in use and can be returned to; one that failed or was superseded never came into use, or was taken back since',
});
const risk = z
  .object({
    level: z.enum(['low', 'medium', 'high']),
    reasons: z.array(z.object({ level: z.enum(['low', 'medium', 'high']), reason: z.string() }).readonly()).readonly(),
  })
  .readonly()
  .openapi('ReleaseRisk');

const listed = {
  id: z.string().openapi({ example: 'r-0123456789ab' }),
  digest: z.string(),
  service: address,
  version: z.string(),
  state,
  createdAt: timestamp,
};
const listedRelease = z.object(listed).readonly().openapi('ListedRelease');
/** Newest first. */
export const releases = z.array(listedRelease).readonly();

export const releaseView = z
  .object({
    ...listed,
    content: z
      .object({
        command: z.array(z.string()).readonly(),
        environment: z.record(z.string(), z.string()).openapi({ description: 'As declared: a secret only as its reference' }),
        model: z.record(z.string(), json).optional(),
        image: z.string().optional().openapi({ description: 'What its image was called when it was released' }),
        digests: z.record(z.string(), z.string()).openapi({ description: 'Of the files, by part, and of the image' }),
      })
      .readonly(),
    before: z.string().optional().openapi({ description: 'The release recorded before it; absent for the oldest one kept' }),
    risk: risk.optional().openapi({ description: 'Of going from the release before it to this one' }),
    words: z.array(z.string()).readonly().openapi({ description: 'What is different from the release before it' }),
  })
  .readonly()
  .openapi('Release');

const valueChange = z.object({ name: z.string(), from: json.optional(), to: json.optional() }).readonly();
const ends = z.object({ from: json.optional(), to: json.optional() }).readonly();

const imageEnd = z.object({ reference: z.string().optional(), digest: z.string() }).readonly();

const releaseChange = z
  .object({
    version: z
      .object({ from: z.string(), to: z.string(), bump: z.enum(['none', 'patch', 'minor', 'major', 'lower', 'prerelease']) })
      .readonly(),
    files: z
      .array(
        z
          .object({
            part: z.enum(['source', 'prompts', 'policy', 'api', 'migrations']),
            path: z.string(),
            change: z.enum(['added', 'removed', 'changed']),
            lines: z.object({ added: z.number().int(), removed: z.number().int() }).readonly().optional(),
            diff: z.string().optional(),
            omitted: z.number().int().optional().openapi({ description: 'Lines of the diff that are left out' }),
          })
          .readonly(),
      )
      .readonly(),
    prompts: z
      .array(
        z
          .object({
            path: z.string(),
            words: z.array(z.object({ change: z.enum(['same', 'added', 'removed']), text: z.string() }).readonly()).readonly(),
            changed: z.number().int(),
            of: z.number().int(),
          })
          .readonly(),
      )
      .readonly(),
    model: z
      .object({ name: ends.optional(), version: ends.optional(), parameters: z.array(valueChange).readonly() })
      .readonly()
      .optional(),
    environment: z.array(valueChange).readonly(),
    image: z.object({ from: imageEnd.optional(), to: imageEnd.optional() }).readonly().optional(),
    command: z
      .object({ from: z.array(z.string()).readonly(), to: z.array(z.string()).readonly() })
      .readonly()
      .optional(),
    apiComparison: z.enum(['none', 'same', 'compared', 'added', 'removed', 'unreadable']),
    api: z.array(z.object({ path: z.string(), breaking: z.boolean(), what: z.string() }).readonly()).readonly(),
    migrations: z
      .array(
        z
          .object({
            name: z.string(),
            change: z.enum(['added', 'removed', 'changed']),
            phase: z.enum(['expand', 'migrate', 'contract']).optional(),
          })
          .readonly(),
      )
      .readonly(),
  })
  .readonly()
  .openapi('ReleaseChange');

export const releaseDifference = z
  .object({ from: z.string(), to: z.string(), words: z.array(z.string()).readonly(), risk, change: releaseChange })
  .readonly()
  .openapi('ReleaseDifference');

export type ListedRelease = z.infer<typeof listedRelease>;
export type ReleaseView = z.infer<typeof releaseView>;
export type ReleaseDifference = z.infer<typeof releaseDifference>;
