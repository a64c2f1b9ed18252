import type { Capabilities } from './gateway-under-test.ts';

/** In what HAProxy 2.6 differs. */
export const haproxyCapabilities: Capabilities = {
  keepsSpelling: false,
  tellsConnectTimeout: false,
  tellsLargeHeaders: false,
  repeatsOnClosedConnections: false,

  filtersTrailers: false,
  limitsIdleBodies: false,
  explainsBrokenRequests: false,
  accepts: new Set([
    'Content-Length and Transfer-Encoding',
    'Transfer-Encoding and Content-Length',
    'two equal Content-Lengths',
    'a list of Content-Lengths',
    'a Content-Length beyond safe integers',
    'a folded header',
    'a folded Transfer-Encoding',
    'bare line feeds',
    'a bare line feed within the header',
    'a bare line feed at the end of the header',
    'two equal Hosts',
    'a tab in the request line',
    'a chunk size ended by a bare line feed',
    'a chunk ended by a bare line feed',
    'a chunk extension with a bare line feed',
    'an answer with length and chunks',
    'an answer with a folded header',
  ]),
  policies: true,
  isToldHealth: true,
};
