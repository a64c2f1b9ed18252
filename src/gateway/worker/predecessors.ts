import type { Clock } from '../../effects/clock.ts';
import { type CrewMember, endProcess, liveCrew } from '../crew-register.ts';
import type { ServingReport } from './serving.ts';

/** Workers of the main process before this one, for as long as they finish what they had. */
export interface Predecessors {
  /** Resolves once none of them accepts any more. One that does not leave within the limit is ended: it would serve by an old table. */
  yielded(limitMs: number): Promise<void>;
  reports(): Promise<readonly ServingReport[]>;
  /** Gives them until the deadline. */
  drain(deadlineMs: number): Promise<void>;
}

export const noPredecessors: Predecessors = {
  yielded: async () => {},
  reports: async () => [],
  drain: async () => {},
};

export function createPredecessors(folder: string, ownPid: number, clock: Clock): Predecessors {
  let areGone = false;

  const left = async (): Promise<readonly CrewMember[]> => {
    if (areGone) return [];
    const members = (await liveCrew(folder)).filter(({ mainPid }) => mainPid !== ownPid);
    areGone = members.length === 0;
    return members;
  };

  return {
    yielded: async (limitMs) => {
      const deadline = clock.monotonic() + limitMs;
      for (;;) {
        const serving = (await left()).filter(({ state }) => state === 'serving');
        if (serving.length === 0) return;
        if (clock.monotonic() > deadline) for (const member of serving) endProcess(member);
        await clock.sleep(10);
      }
    },
    reports: async () => (await left()).map(({ report }) => report),
    drain: async (deadlineMs) => {
      const deadline = clock.monotonic() + deadlineMs;
      for (;;) {
        const members = await left();
        if (members.length === 0) return;
        if (clock.monotonic() >= deadline) for (const member of members) endProcess(member);
        await clock.sleep(20);
      }
    },
  };
}
