import { z } from '@hono/zod-openapi';
import { address, timestamp } from './names.ts';

const notificationView = z
  .object({
    address,
    environment: z.string(),
    name: z.string(),
    url: z.string().openapi({ description: 'As declared; of a plain URL, its host alone' }),
    format: z.enum(['json', 'slack']),
    signed: z.boolean(),
    on: z.array(z.string()).readonly(),
    services: z.array(z.string()).readonly().optional().openapi({ description: 'All of the environment when absent' }),
    deliveredAt: timestamp.optional(),
    waiting: z.number().int().openapi({ description: 'Messages that have not reached it yet' }),
    dead: z.number().int().openapi({ description: 'Messages that were given up' }),
  })
  .readonly()
  .openapi('Notification');

export const messageView = z
  .object({
    id: z.string(),
    environment: z.string(),
    service: z.string(),
    to: z.string().openapi({ example: 'notification/team-channel' }),
    type: z.string().openapi({ example: 'rollout.failed' }),
    message: z.string(),
    at: timestamp,
    status: z.enum(['waiting', 'sending', 'answered', 'dead']),
    attempts: z.number().int(),
    dueAt: timestamp.optional().openapi({ description: 'When it is tried next' }),
    reason: z.string().optional().openapi({ description: 'Why the last attempt failed' }),
  })
  .readonly()
  .openapi('Message');

export const notificationReport = z
  .object({ notifications: z.array(notificationView).readonly(), messages: z.array(messageView).readonly() })
  .readonly()
  .openapi('Notifications', { description: 'Who is told of rollouts, and what has not reached its receiver, oldest first' });

export const deliveryTrial = z
  .object({ delivered: z.boolean(), reason: z.string().optional(), tookMs: z.number() })
  .readonly()
  .openapi('DeliveryTrial');

export type NotificationReport = z.infer<typeof notificationReport>;
export type MessageView = z.infer<typeof messageView>;
export type DeliveryTrial = z.infer<typeof deliveryTrial>;
