import { z } from '@hono/zod-openapi';
import { sluiceError } from '../errors/sluice-error.ts';
import type { Endpoint } from './endpoint.ts';
import type { Call } from './handler.ts';

const key = /^[\x21-\x7e]{1,128}$/;

/** The header Idempotency-Key: 1 to 128 printable ASCII characters. Throws `invalid_request`. */
export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (!key.test(header))
    throw sluiceError('invalid_request', { where: 'header idempotency-key', reason: 'it is not 1 to 128 printable ASCII characters' });
  return header;
}

/** Throws `repeatable_request_required` for a request that would be carried out twice if its answer were lost and it were sent again. */
export function demandRepeatable({ idempotency }: Endpoint, { idempotencyKey, body }: Call<Endpoint>): void {
  if (idempotency === undefined || idempotency === 'accepted' || idempotencyKey !== undefined) return;
  const field = idempotency === 'demanded' ? undefined : idempotency.unless;
  const given = (body ?? {}) as Readonly<Record<string, unknown>>;
  if (field === undefined || given[field] === undefined) throw sluiceError('repeatable_request_required', { field });
}

/** How OpenAPI describes the header. */
export function idempotencyHeader(idempotency: NonNullable<Endpoint['idempotency']>): z.ZodObject {
  const once = 'Sent again under the same key, the request is not carried out again; under it, another one is refused with 422';
  const needed = typeof idempotency === 'string' ? '' : `. Needed unless the body has \`${idempotency.unless}\`: 428`;
  const schema = z
    .string()
    .regex(key)
    .openapi({ description: `${once}${needed}` });
  return z.object({ 'idempotency-key': idempotency === 'demanded' ? schema : schema.optional() });
}
