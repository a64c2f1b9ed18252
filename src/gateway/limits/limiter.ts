import type { LimitsRoute } from '../routing-table.ts';
import { createWaitingList, type WaitingList } from './waiting-list.ts';

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
  /** So many of the queue's places are this process's, the rest others'; who waits already keeps its place. Until it is called, all are. */
  share(places: number): void;
  /** Sheds whoever has waited too long; nobody who has is let in either. `now` is monotonic milliseconds. */
  expire(now: number): void;
  running(): number;
  queued(): number;
  /** Of those queued, who have a place in the queue and do not only ask for one. */
  placed(): number;
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
  let shared = Number.POSITIVE_INFINITY;
  let running = 0;
  let isLettingIn = false;
  let lastEnd: number | undefined;
  let endIntervalMs: number | undefined;

  const inQueue = (): number => lists.critical.size() + lists.normal.size() + lists.low.size();
  const queued = (): number => inQueue() + asking.size();

  const places = (): number => Math.min(shared, settings.queue);

  const inTime = (list: WaitingList<Waiting>): Waiting | undefined => {
    for (;;) {
      const oldest = list.first();
      if (oldest === undefined) return undefined;
      list.shift();
      if (now() - oldest.since < settings.queueMs) return oldest.item;
      oldest.item.shed('timeout');
    }
  };

  const next = (): Waiting | undefined => inTime(lists.critical) ?? inTime(lists.normal) ?? inTime(lists.low) ?? asking.shift();

  /** Who asks gets a place in the queue when there is one. */
  const promote = (): void => {
    while (inQueue() < places()) {
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
      if (inQueue() < places()) {
        lists[waiting.priority].push(waiting, now());
        return 'waiting';
      }
      const victim = settings.queue === 0 ? undefined : leastUrgentBelow(waiting.priority);
      if (victim !== undefined) lists[waiting.priority].push(waiting, now());
      // Permits and places that are others' may be spare there.
      if (asking.size() < elsewhere + settings.queue - places()) {
        asking.push(victim ?? waiting, now());
        return 'waiting';
      }
      victim?.shed('queue_full');
      return victim === undefined ? 'shed' : 'waiting';
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
    share: (given) => {
      shared = given;
      promote();
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
    placed: inQueue,
    waitMs: () => (endIntervalMs === undefined ? unknownWaitMs : Math.min(longestWaitMs, endIntervalMs * (queued() + 1))),
  };
}
