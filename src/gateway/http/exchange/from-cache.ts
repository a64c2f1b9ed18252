import type { CachedAnswer } from '../../cache/response-cache.ts';
import type { Downstream } from '../downstream.ts';

/** Gives a kept answer to a client: whole, at once. */
export function answerFromCache(downstream: Downstream, cached: CachedAnswer, requestId: string): void {
  const isBodiless = downstream.head.method === 'HEAD' || cached.status === 204 || cached.status === 304;
  const headers = [...cached.headers, 'x-request-id', requestId];
  downstream.answer(cached.status, '', headers, isBodiless ? 'none' : cached.body.length);
  if (!isBodiless && cached.body.length > 0) downstream.write(cached.body);
  downstream.end([]);
}
