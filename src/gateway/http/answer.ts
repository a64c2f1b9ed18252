import { catalogue, type ErrorCode, type ErrorParameters } from '../../errors/catalogue.ts';
import { problem } from '../../errors/sluice-error.ts';
import type { RawHeaders } from './downstream.ts';

/** An answer of the gateway's own: always JSON, always from the catalogue, never with internals. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
  /** Goes into the header and the body where it is known. */
  readonly requestId: string | undefined;
  /** Whole seconds. */
  readonly retryAfter: number | undefined;
}

export function refusal<Code extends ErrorCode>(
  code: Code,
  parameters: ErrorParameters<Code>,
  options: { readonly requestId?: string; readonly retryAfterMs?: number } = {},
): Refusal {
  const { message, help } = problem(code, parameters);
  const { status } = catalogue[code];
  const { requestId, retryAfterMs } = options;
  const body = JSON.stringify({ error: { code, message, help, ...(requestId && { request_id: requestId }) } });
  const retryAfter = retryAfterMs === undefined ? (status === 503 ? 1 : undefined) : Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return { status, body, requestId, retryAfter };
}

/** The refusal's header, but for the connection's own fields. */
export function refusalHeaders(refused: Refusal): RawHeaders {
  const headers = [
    'content-type',
    'application/json',
    'content-length',
    String(Buffer.byteLength(refused.body)),
    'cache-control',
    'no-store',
  ];
  if (refused.retryAfter !== undefined) headers.push('retry-after', String(refused.retryAfter));
  if (refused.requestId !== undefined) headers.push('x-request-id', refused.requestId);
  return headers;
}
