import { catalogue, type ErrorCode, type ErrorParameters } from '../../errors/catalogue.ts';
import { problem } from '../../errors/sluice-error.ts';

/** An answer of the gateway's own: always JSON, always from the catalogue, never with internals. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
  /** Goes into the header and the body where it is known. */
  readonly requestId: string | undefined;
  /** Whole seconds. */
  readonly retryAfter: number | undefined;
  /** Instead of those of an error: of an answer of the gateway's own that is none. */
  readonly headers?: readonly string[];
}

/** Refusals that say nothing about the request. */
export type PlainError =
  | 'gateway_no_instance'
  | 'gateway_upstream_unreachable'
  | 'gateway_upstream_failed'
  | 'gateway_upstream_invalid'
  | 'gateway_connect_timeout'
  | 'gateway_upstream_timeout'
  | 'gateway_request_timeout'
  | 'gateway_overloaded'
  | 'gateway_failure';

export function refusal<Code extends ErrorCode>(
  code: Code,
  parameters: ErrorParameters<Code>,
  options: { readonly requestId?: string; readonly retryAfterMs?: number | undefined } = {},
): Refusal {
  const { message, help } = problem(code, parameters);
  const { status } = catalogue[code];
  const { requestId, retryAfterMs } = options;
  const body = JSON.stringify({ error: { code, message, help, ...(requestId && { request_id: requestId }) } });
  const retryAfter = retryAfterMs === undefined ? (status === 503 ? 1 : undefined) : Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return { status, body, requestId, retryAfter };
}

/** The refusal's header, but for the connection's own fields. */
export function refusalHeaders(refused: Refusal): string[] {
  const headers = [
    ...(refused.headers ?? ['content-type', 'application/json']),
    'content-length',
    String(Buffer.byteLength(refused.body)),
    'cache-control',
    'no-store',
  ];
  if (refused.retryAfter !== undefined) headers.push('retry-after', String(refused.retryAfter));
  if (refused.requestId !== undefined) headers.push('x-request-id', refused.requestId);
  return headers;
}
