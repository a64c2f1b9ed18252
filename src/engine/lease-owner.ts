import { hostname } from 'node:os';
import { identify, isAlive } from '../effects/processes.ts';

/** Who holds a lease, and how to tell whether another holder still lives. */
export interface LeaseOwner {
  /** `host/pid/start time`: no two processes ever share it. */
  readonly name: string;
  /** False only when it is certain: then its lease is taken over at once, without waiting for its end. */
  mayBeAlive(name: string): boolean;
}

/** This process, recognised on the same machine even if its pid is used again. */
export function processOwner(): LeaseOwner {
  const host = hostname();
  const name = `${host}/${process.pid}/${identify(process.pid)?.startTime ?? ''}`;
  return {
    name,
    mayBeAlive: (other) => {
      const [otherHost, pid, startTime = ''] = other.split('/');
      return otherHost !== host || isAlive({ pid: Number(pid), startTime });
    },
  };
}
