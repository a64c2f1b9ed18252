import { entry } from './entry.ts';

/** Errors of notifications and hooks. */
export const notificationErrors = {
  unknown_notification: entry<{ environment: string; name: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ environment, name }) => `There is no notification '${name}' in '${environment}'.`,
    help: () => '`sluice notification list` shows those that have been applied.',
  }),
  unknown_message: entry<{ environment: string; id: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ environment, id }) => `No message '${id}' waits in '${environment}', and none with this id was given up.`,
    help: () => '`sluice notification list` shows them; one that is not there has been delivered.',
  }),
  message_busy: entry<{ id: string }>({
    status: 409,
    retry: 'retry',
    message: ({ id }) => `The message '${id}' is being delivered at this moment.`,
    help: () => 'Look again in a moment: `sluice notification list`.',
  }),
  webhook_url_refused: entry<{ name: string; host: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ name, host }) => `The notification '${name}' is to be sent to '${host}', an address that webhooks may not be sent to.`,
    help: () =>
      'Give the address of a receiver; whoever starts the control plane can allow more by SLUICE_WEBHOOK_NETWORKS (docs/notifications.md).',
  }),
  notification_unsigned: entry<{ name: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ name }) => `What the notification '${name}' sends is not signed: its receiver cannot tell it from a forged one.`,
    help: () => 'Give it a `secret`, and have the receiver verify `webhook-signature` (docs/notifications.md).',
  }),
  webhook_networks_invalid: entry<{ given: string }>({
    status: 500,
    retry: 'terminal',
    message: ({ given }) => `SLUICE_WEBHOOK_NETWORKS cannot be understood: '${given}'.`,
    help: () => 'Write words and ranges with commas between them: public, private, loopback, 10.1.0.0/16.',
  }),
};
