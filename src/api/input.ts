import type { z } from '@hono/zod-openapi';
import { sluiceError } from '../errors/sluice-error.ts';

/** More than any request of this API needs; nothing larger is read. */
const bodyLimitBytes = 1_048_576;

/** Refuses by the declared length, before anybody has shown a key and before a byte is read. */
export function refuseLargeBody(request: Request): void {
  const declared = Number(request.headers.get('content-length') ?? '0');
  if (!(declared <= bodyLimitBytes)) throw sluiceError('body_too_large', { limit: bodyLimitBytes });
}

/** The JSON of a request. Throws `unsupported_media_type`, `body_too_large` (also when no length was declared), `invalid_request`. */
export async function readJson(request: Request): Promise<unknown> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw sluiceError('unsupported_media_type', {});
  const bytes = await readLimited(request, bodyLimitBytes);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw sluiceError('invalid_request', { where: 'body', reason: 'it is not JSON in UTF-8' });
  }
}

/** The bytes of a body. Throws `body_too_large` at the first byte beyond the limit. */
export async function readLimited(request: Request, limit: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of request.body ?? []) {
    size += piece.length;
    if (size > limit) throw sluiceError('body_too_large', { limit });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

const refuseReason = (reason: string): Error => sluiceError('invalid_request', { where: 'header x-sluice-reason', reason });

/** The reason of a change: percent-encoded UTF-8, one line, at most 500 characters. Throws `invalid_request`. */
export function readReason(header: string | undefined): string | undefined {
  if (header === undefined || header === '') return undefined;
  let text: string;
  try {
    text = decodeURIComponent(header);
  } catch {
    throw refuseReason('it is not percent-encoded UTF-8');
  }
  if (text.length > 500) throw refuseReason('it has more than 500 characters');
  if (/\p{C}/u.test(text)) throw refuseReason('it holds control characters');
  return text;
}

/** Query parameters as an object; one that is given twice is refused, because it would be read differently by different programs. */
export function readQuery(url: string): Record<string, string> {
  const query = new Map<string, string>();
  for (const [name, value] of new URL(url).searchParams) {
    if (query.has(name)) throw sluiceError('invalid_request', { where: 'query', reason: 'a parameter is given twice' });
    query.set(name, value);
  }
  return Object.fromEntries(query);
}

/** `value` by `schema`. The error names the place and what is wanted, never the value: it may be a secret. */
export function validated(where: string, schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const reason = result.error.issues
    .slice(0, 10)
    .map((issue) => (issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`))
    .join('; ');
  throw sluiceError('invalid_request', { where, reason });
}
