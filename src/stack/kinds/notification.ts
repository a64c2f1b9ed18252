import { z } from 'zod';
import { blockName, refersTo } from '../fields/names.ts';
import { signingSecret, webhookUrl } from '../fields/webhook.ts';
import { defineKind } from './kind-spec.ts';

/** What of a rollout can be told. */
export const notificationEvents = [
  'started',
  'stage',
  'held',
  'resumed',
  'approval_needed',
  'completed',
  'failed',
  'rolled_back',
  'superseded',
] as const;
export type NotificationEvent = (typeof notificationEvents)[number];

const usual: NotificationEvent[] = ['held', 'approval_needed', 'completed', 'failed', 'rolled_back'];

const schema = z.strictObject({
  name: blockName('notification'),
  url: webhookUrl().describe('Where it is sent. Write ${secret.name} where the URL is itself a secret, as that of a Slack webhook is.'),
  format: z
    .enum(['json', 'slack'])
    .default('json')
    .describe('json: a document by docs/reference/webhook.schema.json; slack: what incoming webhooks of Slack and its like read.'),
  secret: signingSecret().optional().describe('Secret the message is signed with, so that the receiver can tell it from a forged one.'),
  on: z
    .array(z.enum(notificationEvents))
    .min(1, { error: 'at least one event' })
    .default(usual)
    .describe(
      'What is told: the rollout has started, a stage is in force, it is held, it goes on after that or with an arm of its experiment, it waits for approval, the release is in use, it was taken back, the return to an earlier release is done, a newer release took its place.',
    ),
  services: z
    .array(refersTo('service', { ordering: false }))
    .min(1, { error: 'at least one service' })
    .optional()
    .describe('Services it is about; all of the environment when left out.'),
});

export const notification = defineKind({
  kind: 'notification',
  summary: 'Somebody who is told of rollouts, by a webhook.',
  schema,
  outputs: {},
  example: `notification:
  - name: release-bot
    url: https://bot.example.com/sluice
    secret: \${secret.release-bot}
    on: [started, stage, completed, failed]
  - name: team-channel
    url: \${secret.slack-webhook}
    format: slack
    services: [conversation-agent]
`,
});

export type NotificationFields = z.output<typeof schema>;
