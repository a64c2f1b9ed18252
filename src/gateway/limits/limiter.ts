import type { LimitsRoute } from '../routing-table.ts';
import { createWaitingList } from './waiting-list.ts';

export type Priority = LimitsRoute['priority'];

/** One request at the door of a service. At most one of the two callbacks comes, once, and never from inside its own `enter`. */
export interface Waiting {
  readonly priority: Priority;
  /** It may go on; `leave` must follow exactly once. */
  granted(): void;
  /** It may not: the queue took a more urgent one in its place, or it waited too long. */
  shed(reason: 'queue_full' | 'timeout'): void;
}

/** Bounded concurrency of one service with a bounded queue, more urgent first, in order of arrival among equals. */
export interface Limiter {
  /** `granted` and `shed` are the answer at once; `waiting` is followed by one of the callbacks, unless `cancel` comes first. */
  enter(waiting: Waiting): 'granted' | 'waiting' | 'shed';
  leave(): void;
  /** The client is gone while it waited. */
  cancel(waiting: Waiting): void;
  /**
   * Requests that may run at once; shrinking lets what runs end. `elsewhere`: how many more other processes hold of the same limit. So many
   * may wait a moment, beyond what the queue holds, for what is not needed there.
   */
  resize(capacity: number, elsewhere?: number): void;
  /** Sheds whoever has waited too long. `now` is monotonic milliseconds. */
  expire(now: number): void;
  running(): number;
  queued(): number;
  /**
   * Milliseconds after which one more request can be expected to be let in, by how fast requests have been ending lately, at most a minute:
   * what a `Retry-After` is made of. 1000 as long as nothing is known.
   */
  waitMs(): number;
}

export interface QueueSettings {
  /** Requests that may wait; 0: none does. */
  readonly queue: number;
  readonly queueMs: number;
}

export interface ServiceLimiter extends Limiter {
  /** Other rules for the same queue. Who waits beyond a shorter one is shed, the least urgent and the newest first. */
  configure(settings: QueueSettings): void;
}

const urgency: readonly Priority[] = ['critical', 'normal', 'low'];
/** What another process has to spare is here within this time, on a busy machine too. */
const askingMs = 500;
/** Weight of the latest time between two ends in the moving average of it. */
const smoothing = 0.1;
const unknownWaitMs = 1_000;
const longestWaitMs = 60_000;

/**
 * Starts without capacity: everything waits until `resize`. A request that finds the queue full takes the place of the newest one of the
 * least urgent class that waits, if that is less urgent than itself; otherwise it is shed. `now` gives monotonic milliseconds.
 */
export function createLimiter(initial: QueueSettings, now: () => number): ServiceLimiter {
  const lists = { critical: createWaitingList<Waiting>(), normal: createWaitingList<Waiting>(), low: createWaitingList<Waiting>() };
  /** Those for whom there is no room in the queue, and who wait only until it is known whether another process has something to spare. */
  const asking = createWaitingList<Waiting>();
  let settings = initial;
  let capacity = 0;
  let elsewhere = 0;
  let running = 0;
  let isLettingIn = false;
  let lastEnd: number | undefined;
  let endIntervalMs: number | undefined;

  const inQueue = (): number => lists.critical.size() + lists.normal.size() + lists.low.size();
  const queued = (): number => inQueue() + asking.size();

  const next = (): Waiting | undefined => lists.critical.shift() ?? lists.normal.shift() ?? lists.low.shift() ?? asking.shift();

  /** Who asks gets a place in the queue when there is one. */
  const promote = (): void => {
    while (inQueue() < settings.queue) {
      const waiting = asking.shift();
      if (waiting === undefined) return;
      lists[waiting.priority].push(waiting, now());
    }
  };

  /** The one to give way to a request of this class; undefined when nobody who waits is less urgent. */
  const leastUrgentBelow = (priority: Priority): Waiting | undefined => {
    for (let at = urgency.length - 1; at > urgency.indexOf(priority); at -= 1) {
      const victim = lists[urgency[at] as Priority].pop();
      if (victim) return victim;
    }
    return undefined;
  };

  /** A grant may end at once and call `leave`, and so on: a loop, so that a long queue is no deep stack. */
  const letIn = (): void => {
    if (isLettingIn) return;
    isLettingIn = true;
    try {
      while (running < capacity) {
        const waiting = next();
        if (waiting === undefined) break;
        running += 1;
        waiting.granted();
      }
      if (asking.size() > 0) promote();
    } finally {
      isLettingIn = false;
    }
  };

  return {
    enter: (waiting) => {
      if (running < capacity && queued() === 0) {
        running += 1;
        return 'granted';
      }
      if (inQueue() < settings.queue) {
        lists[waiting.priority].push(waiting, now());
        return 'waiting';
      }
      if (asking.size() < elsewhere) {
        asking.push(waiting, now());
        return 'waiting';
      }
      if (settings.queue === 0) return 'shed';
      const victim = leastUrgentBelow(waiting.priority);
      if (victim === undefined) return 'shed';
      lists[waiting.priority].push(waiting, now());
      victim.shed('queue_full');
      return 'waiting';
    },
    leave: () => {
      if (running === 0) throw new Error('more requests have left than were let in');
      running -= 1;
      const at = now();
      if (lastEnd !== undefined) {
        const interval = at - lastEnd;
        endIntervalMs = endIntervalMs === undefined ? interval : endIntervalMs + (interval - endIntervalMs) * smoothing;
      }
      lastEnd = at;
      letIn();
    },
    cancel: (waiting) => {
      if (!lists[waiting.priority].remove(waiting)) asking.remove(waiting);
    },
    resize: (next, others = 0) => {
      capacity = next;
      elsewhere = others;
      letIn();
    },
    expire: (at) => {
      for (const priority of urgency) {
        const list = lists[priority];
        // Bounded by who waits now: a client that is shed may come again at once.
        for (let left = list.size(); left > 0; left -= 1) {
          const oldest = list.first();
          if (oldest === undefined || at - oldest.since < settings.queueMs) break;
          list.shift();
          oldest.item.shed('timeout');
        }
      }
      for (let left = asking.size(); left > 0; left -= 1) {
        const oldest = asking.first();
        if (oldest === undefined || at - oldest.since < askingMs) break;
        asking.shift();
        oldest.item.shed('queue_full');
      }
      promote();
    },
    configure: (changed) => {
      settings = changed;
      while (inQueue() > settings.queue) (lists.low.pop() ?? lists.normal.pop() ?? lists.critical.pop())?.shed('queue_full');
    },
    running: () => running,
    queued,
    waitMs: () => (endIntervalMs === undefined ? unknownWaitMs : Math.min(longestWaitMs, endIntervalMs * (queued() + 1))),
  };
}
