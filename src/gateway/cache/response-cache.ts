import type { RawHeaders, RequestHead } from '../http/downstream.ts';

/** A whole answer that may be used for this request. Hop-by-hop fields left out, `age` and `content-length` included. */
export interface CachedAnswer {
  /** That of the kept answer; 304 without a body when the client has the same one already (`If-None-Match`). */
  readonly status: number;
  readonly headers: RawHeaders;
  /** Empty for HEAD and 304. */
  readonly body: Buffer;
}

/** Takes a copy of an answer on its way to the client. */
export interface CacheWriter {
  write(chunk: Buffer): void;
  /** The answer is whole: it is kept. Without this call nothing is. */
  end(): void;
}

/**
 * Answers of one service kept by the rules of HTTP (RFC 9111), in memory, bounded, least recently used out first. `head` is the request as
 * the instance sees it: on the internal listener its target has no service name in front. `release` is the one the request was assigned
 * to: while several share the traffic, what one of them answered is never used for a request of another, and without `release` nothing is.
 */
export interface ResponseCache {
  lookup(head: RequestHead, now: number, release?: string): CachedAnswer | undefined;
  /** Undefined when the answer may not be kept. `headers` as they go to the client. */
  writer(head: RequestHead, status: number, headers: RawHeaders, now: number, release?: string): CacheWriter | undefined;
}
