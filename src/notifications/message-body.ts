import { z } from 'zod';
import { notificationEvents } from '../stack/kinds/notification.ts';

const time = z.iso.datetime().describe('RFC 3339, UTC.');

const rollout = z
  .object({
    generation: z.int().describe('Counts the rollouts of a service; with the service it names this one.'),
    release: z.string().describe('Release that is rolled out.'),
    version: z.string().describe('Its declared version.'),
    from: z.string().optional().describe('Release in use meanwhile; absent for a first deployment.'),
    strategy: z.string().describe('rolling, blue_green or canary; rollback for the return to an earlier release.'),
    startedAt: time,
    by: z.string().optional().describe('Who began it.'),
    why: z.string().optional().describe('Why, in their words.'),
    weight: z.number().optional().describe('Percentage of new requests the candidate is given; only of strategies that go by stages.'),
    stage: z.object({ current: z.int(), of: z.int() }).optional().describe('Counts from 1.'),
  })
  .describe('The rollout it is about.');

const common = {
  id: z.string().describe('The same however often it is delivered, and equal to the header webhook-id.'),
  time: time.describe('When it happened, not when it was delivered.'),
  environment: z.string(),
  service: z.string().describe('Name of the service.'),
  address: z.string().describe('environment/service/name.'),
  message: z.string().describe('One sentence for people.'),
};

const notificationBody = z.object({
  type: z.enum(notificationEvents.map((event) => `rollout.${event}` as const)).describe('What has happened.'),
  ...common,
  sequence: z.number().describe('Grows with everything that is told of one life of a service.'),
  rollout,
  reason: z.string().optional().describe('Why it is held, has failed or has been superseded.'),
  evidence: z.array(z.string()).optional().describe('What was known of the candidate, in words.'),
});

const hookBody = z.object({
  type: z.literal('hook').describe('Somebody is asked: 2xx lets the rollout go on.'),
  ...common,
  hook: z
    .object({
      name: z.string(),
      when: z
        .enum(['start', 'before', 'after', 'end'])
        .describe('start and before: its share is yet to come; after and end: before it goes on.'),
      round: z.int().describe('1, and one more each time somebody has it asked again.'),
    })
    .describe('Which hook is asked.'),
  rollout,
});

const testBody = z.object({ type: z.literal('test').describe('Somebody tries the notification out.'), ...common });

/** What is sent to a receiver of the format `json`. Fields are only ever added. */
export const messageBody = z.discriminatedUnion('type', [notificationBody, hookBody, testBody]);

export type MessageBody = z.infer<typeof messageBody>;
export type NotificationBody = z.infer<typeof notificationBody>;
export type HookBody = z.infer<typeof hookBody>;
export type RolloutFacts = z.infer<typeof rollout>;

/** For the reference documentation. */
export function messageJsonSchema(): unknown {
  return { title: 'What Sluice sends to a webhook', ...z.toJSONSchema(messageBody, { io: 'output' }) };
}
