import { z } from 'zod';
import { duration } from '../../fields/duration.ts';
import { stackPath } from '../../fields/paths.ts';
import { fraction, text, whole } from '../../fields/text.ts';
import { environmentVariables, model } from './content.ts';

/** What everybody calls the releases an experiment has anyway. */
const taken = ['candidate', 'control', 'stable'];

const armName = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/, { error: 'at most 32 lower-case letters, digits and -, starting with a letter' })
  .refine((name) => !taken.includes(name), { error: `not ${taken.join(', ')}, which an experiment has anyway` });

const arm = z
  .strictObject({
    env: environmentVariables.optional().describe("Variables beside the service's, or instead of them."),
    prompts: stackPath('file or folder').optional().describe("Prompts instead of the service's."),
    model: model.optional().describe("Model instead of the service's."),
    policy: stackPath('file').optional().describe("Policy instead of the service's."),
  })
  .refine((fields) => Object.values(fields).some((field) => field !== undefined), {
    error: 'something that differs from the service: env, prompts, model or policy',
  });

/** Several variants of the candidate, compared with the stable release and with one another by what they achieve. */
export const experiment = z.strictObject({
  metric: z
    .strictObject({
      attribute: text(128).describe('Attribute of an answer that says what came of it, such as agent.outcome.'),
      value: text(64).describe('Value that is counted, such as resolved.'),
      goal: z.enum(['more', 'fewer']).describe('Whether more or fewer users with this value are better.'),
    })
    .describe('What the arms are compared by: the share of users whose first outcome is the value.'),
  arms: z
    .record(armName, arm)
    .refine((arms) => Object.keys(arms).length >= 1 && Object.keys(arms).length <= 9, { error: 'one to nine arms beside the candidate' })
    .describe('By name, what differs from the candidate, which is an arm too. Each is a release of its own.'),
  share: whole(1, 100).default(50).describe('Percentage of new requests for all arms together, in equal parts; control has the rest.'),
  for: duration().describe('How long it lasts at least.'),
  min_units: whole(1, 1_000_000_000)
    .default(100)
    .describe('Users with an outcome below which nothing is concluded, of each arm and of control.'),
  alpha: fraction().default(0.05).describe('Chance that anything is found where there is no difference, over all comparisons together.'),
  on_winner: z
    .enum(['hold', 'promote'])
    .default('hold')
    .describe('hold: somebody decides; promote: the winner becomes the candidate of the steps that are left.'),
});
