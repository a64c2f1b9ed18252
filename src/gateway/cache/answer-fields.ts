import type { RawHeaders } from '../http/downstream.ts';
import type { KeptAnswer } from './answer-store.ts';
import type { CachedAnswer } from './response-cache.ts';

const empty = Buffer.alloc(0);
/** Fields of one exchange, not of the answer. */
const ownFields = new Set(['age', 'x-request-id', 'x-sluice-attributes', 'traceresponse']);

/** What a kept answer looks like for a request, `ageSeconds` after its origin made it. `wanted`: the request's `If-None-Match`. */
export function answerFrom(kept: KeptAnswer, method: string, wanted: string | undefined, ageSeconds: number): CachedAnswer {
  const headers = [...kept.headers, 'age', String(ageSeconds)];
  if (kept.status === 200 && hasTag(kept.headers, wanted)) return { status: 304, headers: withoutContent(headers), body: empty };
  return { status: kept.status, headers, body: method === 'HEAD' ? empty : kept.body };
}

/** The fields of an answer that belong to it whoever asks. */
export function withoutOwnFields(headers: RawHeaders): string[] {
  return withoutFields(headers, (name) => ownFields.has(name));
}

/** What a 304 leaves out (RFC 9110, 15.4.5). */
function withoutContent(headers: RawHeaders): string[] {
  return withoutFields(headers, (name) => name.startsWith('content-') && name !== 'content-location');
}

function withoutFields(headers: RawHeaders, isLeftOut: (name: string) => boolean): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    if (!isLeftOut((headers[index] as string).toLowerCase())) kept.push(headers[index] as string, headers[index + 1] as string);
  }
  return kept;
}

/** Weak comparison (RFC 9110, 8.8.3.2). */
function hasTag(headers: RawHeaders, wanted: string | undefined): boolean {
  if (wanted === undefined) return false;
  const at = headers.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === 'etag');
  const tag = at < 0 ? undefined : headers[at + 1]?.replace(/^W\//, '');
  return tag !== undefined && wanted.split(',').some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === tag);
}
