import { entry } from './entry.ts';

/** What the gateway answers to clients (no internals in the texts), and what its control side reports. */
export const gatewayErrors = {
  gateway_route_unknown: entry<Record<string, never>>({
    status: 404,
    retry: 'terminal',
    message: () => 'No service answers at this address.',
    help: () => 'Check the host and the path of the request.',
  }),
  gateway_request_invalid: entry<{ reason: string }>({
    status: 400,
    retry: 'terminal',
    message: ({ reason }) => `The request is not valid HTTP: ${reason}.`,
    help: () => 'Correct the request; it reached no service.',
  }),
  gateway_request_unsupported: entry<{ what: string }>({
    status: 501,
    retry: 'terminal',
    message: ({ what }) => `The gateway does not support ${what}.`,
    help: () => 'Send the request without it.',
  }),
  gateway_expectation_failed: entry<Record<string, never>>({
    status: 417,
    retry: 'terminal',
    message: () => 'The only expectation the gateway can meet is 100-continue.',
    help: () => 'Send the request without the Expect header.',
  }),
  gateway_headers_too_large: entry<Record<string, never>>({
    status: 431,
    retry: 'terminal',
    message: () => 'The header of the request is larger than the gateway accepts.',
    help: () => 'Send fewer or shorter headers (cookies are the usual cause).',
  }),
  gateway_request_timeout: entry<Record<string, never>>({
    status: 408,
    retry: 'retry',
    message: () => 'The request did not arrive in time.',
    help: () => 'Send it again.',
  }),
  gateway_unauthenticated: entry<Record<string, never>>({
    status: 401,
    retry: 'terminal',
    message: () => 'The call does not identify its service.',
    help: () => 'Send the value of SLUICE_TOKEN in the header x-sluice-token.',
  }),
  gateway_call_forbidden: entry<{ caller: string; service: string }>({
    status: 403,
    retry: 'terminal',
    message: ({ caller, service }) => `Service '${caller}' does not declare that it calls '${service}'.`,
    help: ({ service }) => `Add '${service}' to the service's 'calls'.`,
  }),
  gateway_no_instance: entry<Record<string, never>>({
    status: 503,
    retry: 'retry',
    message: () => 'The service has no running instance right now.',
    help: () => 'Try again shortly.',
  }),
  gateway_upstream_unreachable: entry<Record<string, never>>({
    status: 502,
    retry: 'retry',
    message: () => 'No instance of the service could be reached.',
    help: () => 'The request reached no instance: try again.',
  }),
  gateway_upstream_failed: entry<Record<string, never>>({
    status: 502,
    retry: 'retry',
    message: () => 'The service broke off before it answered.',
    help: () => 'It may have acted on the request: repeat it only if that is safe.',
  }),
  gateway_upstream_invalid: entry<Record<string, never>>({
    status: 502,
    retry: 'terminal',
    message: () => 'The service answered with something that is not valid HTTP.',
    help: () => 'Look at the logs of the service.',
  }),
  gateway_connect_timeout: entry<Record<string, never>>({
    status: 504,
    retry: 'retry',
    message: () => 'No instance of the service accepted the connection in time.',
    help: () => 'The request reached no instance: try again.',
  }),
  gateway_upstream_timeout: entry<Record<string, never>>({
    status: 504,
    retry: 'retry',
    message: () => 'The service did not answer in time.',
    help: () => 'It may have acted on the request: repeat it only if that is safe.',
  }),
  gateway_failure: entry<Record<string, never>>({
    status: 500,
    retry: 'retry',
    message: () => 'The gateway failed on this request.',
    help: () => 'The log of the gateway has the reason under this request id.',
  }),
  gateway_admin_refused: entry<{ reason: string }>({
    status: 401,
    retry: 'terminal',
    message: ({ reason }) => `The gateway refuses this administration request: ${reason}.`,
    help: () => 'Use the token in the file admin.token of the gateway folder.',
  }),
  gateway_table_invalid: entry<{ reason: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ reason }) => `The routing table is not valid: ${reason}.`,
    help: () => 'Nothing was changed: requests are routed as before.',
  }),
  gateway_table_stale: entry<{ offered: number; current: number }>({
    status: 409,
    retry: 'retry',
    message: ({ offered, current }) => `Routing table ${offered} is refused: the gateway already has version ${current}.`,
    help: () => 'Another control plane published since; read its state and try again.',
  }),
  gateway_port_taken: entry<{ address: string; reason: string }>({
    status: 503,
    retry: 'wait',
    message: ({ address, reason }) => `The gateway cannot listen on ${address}: ${reason}.`,
    help: ({ address }) => `Stop the program that uses ${address}, then try again.`,
  }),
  gateway_engine_unsupported: entry<{ reason: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ reason }) => `HAProxy cannot serve this: ${reason}.`,
    help: () => "Nothing was changed. With gateway.engine 'auto' the embedded engine serves what HAProxy cannot.",
  }),
  gateway_unreachable: entry<{ reason: string }>({
    status: 503,
    retry: 'retry',
    message: ({ reason }) => `The gateway does not answer the control plane: ${reason}.`,
    help: () => 'It is restarted by itself; if this persists, read gateway/gateway.log in the SLUICE_HOME folder.',
  }),
  gateway_start_failed: entry<{ reason: string }>({
    status: 503,
    retry: 'retry',
    message: ({ reason }) => `The gateway did not start: ${reason}`,
    help: () => 'Read gateway/gateway.log in the SLUICE_HOME folder.',
  }),
};
