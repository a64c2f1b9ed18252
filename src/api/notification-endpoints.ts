import { z } from '@hono/zod-openapi';
import { endpoint } from './endpoint.ts';
import { blockName, environmentName, identifier } from './schemas/names.ts';
import { deliveryTrial, messageView, notificationReport } from './schemas/notification.ts';

const inEnvironment = '/v1/environments/{environment}';

/** Who is told of rollouts, and what has not reached them. */
export const notificationEndpoints = {
  listNotifications: endpoint({
    method: 'get',
    path: `${inEnvironment}/notifications`,
    access: { permission: 'read' },
    summary: 'The notifications of an environment, and the messages that wait or were given up, those of hooks included',
    status: 200,
    parameters: z.object({ environment: environmentName }),
    answer: notificationReport,
  }),
  testNotification: endpoint({
    method: 'post',
    path: `${inEnvironment}/notifications/{name}/test`,
    access: { permission: 'operate' },
    summary: 'Sends a sample to the receiver of a notification and says what came of it',
    status: 200,
    parameters: z.object({ environment: environmentName, name: blockName }),
    answer: deliveryTrial,
    audit: { action: 'notification.test' },
  }),
  retryMessage: endpoint({
    method: 'post',
    path: `${inEnvironment}/messages/{id}/retry`,
    access: { permission: 'operate' },
    summary: 'Has a message delivered now that waits for its next attempt or was given up',
    status: 202,
    parameters: z.object({ environment: environmentName, id: identifier }),
    answer: messageView,
    audit: { action: 'notification.retry' },
  }),
};
