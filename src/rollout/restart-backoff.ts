/** Exits within this time count towards a crash loop and lengthen the pause before the next start. */
export const exitWindowMs = 5 * 60_000;
/** So many exits within the window are a crash loop. */
export const crashLoopExits = 3;

const firstPauseMs = 500;
/** No pause is longer. */
export const longestPauseMs = 30_000;

/**
 * Pause before the next start after `exits` (1 or more) exits: doubling, with the upper half jittered ("equal jitter", AWS Architecture
 * Blog, Exponential Backoff And Jitter). The jitter is drawn from the instance's id and the count, so that a replayed decision is the
 * same decision while instances that crash together do not return together.
 */
export function restartPauseMs(instance: string, exits: number): number {
  const full = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(exits - 1, 16));
  return Math.round(full / 2 + (full / 2) * fractionOf(`${instance}#${exits}`));
}

/** FNV-1a, 32 bits, with a final mix (murmur3's), as a number in [0, 1). */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
