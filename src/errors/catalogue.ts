import { accessErrors } from './access-errors.ts';
import { apiErrors } from './api-errors.ts';
import { cliErrors } from './cli-errors.ts';
import { containerErrors } from './container-errors.ts';
import { engineErrors } from './engine-errors.ts';
import { flagErrors } from './flag-errors.ts';
import { gatewayErrors } from './gateway-errors.ts';
import { migrationErrors } from './migration-errors.ts';
import { notificationErrors } from './notification-errors.ts';
import { planErrors } from './plan-errors.ts';
import { providerErrors } from './provider-errors.ts';
import { serviceErrors } from './service-errors.ts';
import { stackErrors } from './stack-errors.ts';
import { storeErrors } from './store-errors.ts';

/** Every error a user can meet, from one table: code -> HTTP status, retry class, message, what to do next. */
export const catalogue = {
  ...stackErrors,
  ...planErrors,
  ...engineErrors,
  ...providerErrors,
  ...serviceErrors,
  ...containerErrors,
  ...migrationErrors,
  ...flagErrors,
  ...notificationErrors,
  ...gatewayErrors,
  ...storeErrors,
  ...accessErrors,
  ...apiErrors,
  ...cliErrors,
};

export type ErrorCode = keyof typeof catalogue;
export type ErrorParameters<Code extends ErrorCode> = Parameters<(typeof catalogue)[Code]['message']>[0];
