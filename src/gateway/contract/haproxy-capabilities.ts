import type { Capabilities } from './gateway-under-test.ts';

/** In what HAProxy 2.6 differs. */
export const haproxyCapabilities: Capabilities = {
  keepsSpelling: false,
  tellsConnectTimeout: false,
  tellsLargeHeaders: false,
  triesOnceOnFreshConnections: false,
  filtersTrailers: false,
  limitsIdleBodies: false,
  refusesLooseFraming: false,
  policies: true,
  isToldHealth: true,
};
