import type { World } from './world.ts';

const service = { environment: 'default', name: 'agent' };

export interface Load {
  stop(): void;
  /** Requests that found no instance although one had been found before. */
  refused(): number;
}

/** Requests of very different lengths, the longest longer than the drain deadline. */
export function startLoad(world: World): Load {
  const ended = new AbortController();
  let count = 0;
  let refused = 0;
  let served = false;
  void (async () => {
    while (!ended.signal.aborted) {
      const request = world.traffic.accept(service);
      if (request) {
        served = true;
        count += 1;
        void world.clock.sleep(count % 30 === 0 ? 3_000 : (count * 37) % 300).then(() => request.end());
      } else if (served) refused += 1;
      await world.clock.sleep(100, ended.signal).catch(() => undefined);
    }
  })();
  return { stop: () => ended.abort(), refused: () => refused };
}

/** So many requests a second that are answered at once: what evidence is made of. */
export function startCrowd(world: World, perSecond: number): { stop(): void } {
  const ended = new AbortController();
  void (async () => {
    while (!ended.signal.aborted) {
      await world.clock.sleep(500, ended.signal).catch(() => undefined);
      world.traffic.serve(service, Math.round(perSecond / 2));
    }
  })();
  return { stop: () => ended.abort() };
}
