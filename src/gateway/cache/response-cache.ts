import type { RawHeaders, RequestHead } from '../http/downstream.ts';

/** A whole answer that may be used for this request. Hop-by-hop fields left out, `age` included. */
export interface CachedAnswer {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: Buffer;
}

/** Takes a copy of an answer on its way to the client. */
export interface CacheWriter {
  write(chunk: Buffer): void;
  /** The answer is whole: it is kept. Without this call nothing is. */
  end(): void;
}

/** Answers of one service kept by the rules of HTTP (RFC 9111), in memory, bounded, least recently used out first. */
export interface ResponseCache {
  lookup(head: RequestHead, now: number): CachedAnswer | undefined;
  /** Undefined when the answer may not be kept. */
  writer(head: RequestHead, status: number, headers: RawHeaders, now: number): CacheWriter | undefined;
}
