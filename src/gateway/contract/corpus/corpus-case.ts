/**
 * What has to become of it. `refused`: one answer of 4xx or 501, then the connection ends, and no whole request reaches an instance.
 * `accepted`: each request of `forwarded` reaches an instance exactly so, and each is answered. `dropped`: no whole request reaches an
 * instance, and the connection ends, with one refusal or without an answer.
 */
type Fate = 'refused' | 'accepted' | 'dropped';

/** Bytes a client sends on one connection, and what has to become of them. */
export interface CorpusCase {
  readonly name: string;
  /** Latin1. `{id}` stands for a path segment that no other case has; a request that must never arrive has `smuggled` in its target. */
  readonly bytes: string;
  readonly fate: Fate;
  /** Method, target and body of what reaches an instance, in order. */
  readonly forwarded?: readonly string[];
  /** After all that is accepted comes something that is refused: one more answer. */
  readonly endsRefused?: boolean;
  /** The client ends its side after the last byte. */
  readonly endsEarly?: boolean;
}

export const smuggled = 'GET /{id}/smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n';
const emptyChunked = '0\r\n\r\n';

export function get(fields: string, target = '/{id}'): string {
  return `GET ${target} HTTP/1.1\r\nHost: app.test\r\n${fields}\r\n`;
}

export function post(fields: string, body = ''): string {
  return `POST /{id} HTTP/1.1\r\nHost: app.test\r\n${fields}\r\n${body}`;
}

export function chunked(body: string): string {
  return post('Transfer-Encoding: chunked\r\nConnection: close\r\n', body);
}

export function refused(name: string, bytes: string): CorpusCase {
  return { name, bytes, fate: 'refused' };
}

export function accepted(name: string, bytes: string, ...forwarded: readonly string[]): CorpusCase {
  return { name, bytes, fate: 'accepted', forwarded };
}

/** A whole body of chunked coding, and after it what would be a request to one who saw the end there. */
export const emptyThenSmuggled = `${emptyChunked}${smuggled}`;

/** A byte as it is shown in names of cases. */
export function shownByte(code: number): string {
  return `0x${code.toString(16).padStart(2, '0')}`;
}
