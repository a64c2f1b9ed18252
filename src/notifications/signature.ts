import { createHmac } from 'node:crypto';

/**
 * The headers of a signed message, by the specification Standard Webhooks (standardwebhooks.com, 1.0.0): HMAC-SHA256 over
 * `id.timestamp.body`, so that neither can be exchanged. A receiver refuses a timestamp that is minutes away and an id it has seen.
 * `atMs` is when it is sent: it differs from one attempt to the next, the id does not.
 */
export function signatureHeaders(
  { id, body, atMs }: { readonly id: string; readonly body: string; readonly atMs: number },
  secret: string | undefined,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'idempotency-key': id };
  if (secret === undefined) return headers;
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${signature}` };
}

/** `whsec_` and base64, as the specification writes keys; any other text is the key itself. */
function keyOf(secret: string): Buffer {
  const encoded = /^whsec_([A-Za-z0-9+/_-]+={0,2})$/.exec(secret)?.[1];
  return encoded === undefined ? Buffer.from(secret, 'utf8') : Buffer.from(encoded, 'base64');
}
