/** A turn of the event loop that takes so long (ms) is crowded: few connections are accepted in a second of them. */
const crowdedMs = 10;
/** Without one for so long (ms), it is calm again. */
const calmMs = 5_000;

/** To be called every `periodMs` with the time (ms), which is late by as long as a turn takes. Tells of each
 * such turn, and once when there are none any more. */
export function createCrowding(begun: number, periodMs: number): (now: number) => 'crowded' | 'calm' | undefined {
  let last = begun;
  let crowdedAt: number | undefined;
  return (now) => {
    const lateMs = now - last - periodMs;
    last = now;
    if (lateMs >= crowdedMs) {
      crowdedAt = now;
      return 'crowded';
    }
    if (crowdedAt === undefined || now - crowdedAt < calmMs) return undefined;
    crowdedAt = undefined;
    return 'calm';
  };
}
