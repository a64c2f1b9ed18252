import type { CacheWriter } from './response-cache.ts';

/**
 * Collects the body of an answer as it passes. `done` gets it once it is whole: with `length`, exactly so many bytes; never more than
 * `largest`. The bytes are copied, because the buffer they come in is used again.
 */
export function createAnswerCopy(
  { length, largest }: { readonly length: number | undefined; readonly largest: number },
  done: (body: Buffer) => void,
): CacheWriter {
  let chunks: Buffer[] = [];
  let size = 0;
  let isGivenUp = false;
  return {
    write: (chunk) => {
      if (isGivenUp) return;
      size += chunk.length;
      if (size > (length ?? largest)) {
        isGivenUp = true;
        chunks = [];
        return;
      }
      chunks.push(Buffer.from(chunk));
    },
    end: () => {
      if (isGivenUp || (length !== undefined && size !== length)) return;
      isGivenUp = true;
      // Not a view of the shared pool, which a small body would keep from being freed.
      const body = Buffer.allocUnsafeSlow(size);
      let at = 0;
      for (const chunk of chunks) at += chunk.copy(body, at);
      chunks = [];
      done(body);
    },
  };
}
