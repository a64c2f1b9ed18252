import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLimiter, type Priority, type ServiceLimiter, type Waiting } from './limiter.ts';

interface Guest extends Waiting {
  readonly id: number;
}

function createDoor(settings: { queue: number; queueMs?: number }, capacity: number) {
  const told: string[] = [];
  let time = 0;
  let ids = 0;
  const limiter: ServiceLimiter = createLimiter({ queueMs: 1_000, ...settings }, () => time);
  limiter.resize(capacity);
  return {
    limiter,
    told,
    at: (now: number): void => {
      time = now;
    },
    now: () => time,
    guest: (priority: Priority = 'normal'): Guest => {
      const id = (ids += 1);
      return { id, priority, granted: () => told.push(`${id} granted`), shed: (reason) => told.push(`${id} ${reason}`) };
    },
  };
}

describe('a limiter', () => {
  test('lets in as many as it may, has the next wait, and sheds who finds the queue full', () => {
    const { limiter, told, guest } = createDoor({ queue: 1 }, 2);
    expect([1, 2, 3, 4].map(() => limiter.enter(guest()))).toEqual(['granted', 'granted', 'waiting', 'shed']);
    expect([limiter.running(), limiter.queued()]).toEqual([2, 1]);
    limiter.leave();
    expect(told).toEqual(['3 granted']);
    expect([limiter.running(), limiter.queued()]).toEqual([2, 0]);
  });

  test('lets the most urgent in first, and among equals who came first', () => {
    const { limiter, told, guest } = createDoor({ queue: 9 }, 1);
    for (const priority of ['normal', 'low', 'normal', 'critical', 'low', 'critical'] as const) limiter.enter(guest(priority));
    for (let index = 0; index < 5; index += 1) limiter.leave();
    expect(told).toEqual(['4 granted', '6 granted', '3 granted', '2 granted', '5 granted']);
  });

  test('sheds the newest of the least urgent for one that is more urgent', () => {
    const { limiter, told, guest } = createDoor({ queue: 3 }, 1);
    for (const priority of ['normal', 'low', 'normal', 'low'] as const) limiter.enter(guest(priority));
    expect(limiter.enter(guest('low'))).toBe('shed');
    expect(limiter.enter(guest('critical'))).toBe('waiting');
    expect(limiter.enter(guest('normal'))).toBe('waiting');
    expect(limiter.enter(guest('normal'))).toBe('shed');
    expect(limiter.enter(guest('critical'))).toBe('waiting');
    expect(told).toEqual(['4 queue_full', '2 queue_full', '7 queue_full']);
  });

  test('has as many more ask as other processes hold permits, for a moment', () => {
    const { limiter, told, guest, at, now } = createDoor({ queue: 0 }, 0);
    limiter.resize(0, 2);
    expect([1, 2, 3].map(() => limiter.enter(guest()))).toEqual(['waiting', 'waiting', 'shed']);
    expect(limiter.queued()).toBe(2);
    limiter.resize(1, 1);
    expect(told).toEqual(['1 granted']);
    at(499);
    limiter.expire(now());
    expect(told).toHaveLength(1);
    at(500);
    limiter.expire(now());
    expect(told).toEqual(['1 granted', '2 queue_full']);
    expect([limiter.running(), limiter.queued()]).toEqual([1, 0]);
  });

  test('has no more wait than its share of the queue, and others ask for places that may be spare elsewhere', () => {
    const { limiter, told, guest, at, now } = createDoor({ queue: 3 }, 1);
    limiter.share(1);
    expect([1, 2, 3, 4, 5].map(() => limiter.enter(guest()))).toEqual(['granted', 'waiting', 'waiting', 'waiting', 'shed']);
    expect([limiter.queued(), limiter.placed()]).toEqual([3, 1]);
    limiter.share(2);
    expect([limiter.queued(), limiter.placed()]).toEqual([3, 2]);
    // What is taken away is not taken from who has it.
    limiter.share(0);
    expect(limiter.placed()).toBe(2);
    at(500);
    limiter.expire(now());
    expect(told).toEqual(['4 queue_full']);
    limiter.leave();
    expect([told.at(-1), limiter.placed()]).toEqual(['2 granted', 1]);
  });

  test('has the less urgent ask in the place of one that is more urgent', () => {
    const { limiter, told, guest } = createDoor({ queue: 2 }, 1);
    limiter.share(1);
    for (const priority of ['normal', 'low', 'critical', 'critical'] as const) limiter.enter(guest(priority));
    expect([told, limiter.placed()]).toEqual([[], 1]);
    limiter.share(2);
    limiter.leave();
    limiter.leave();
    expect(told).toEqual(['3 granted', '2 granted']);
  });

  test('lets nobody in who has waited too long, however late that is looked at', () => {
    const { limiter, told, guest, at } = createDoor({ queue: 9, queueMs: 100 }, 1);
    for (const priority of ['normal', 'normal'] as const) limiter.enter(guest(priority));
    at(60);
    limiter.enter(guest());
    at(120);
    limiter.leave();
    expect(told).toEqual(['2 timeout', '3 granted']);
  });

  test('gives who asks a place in the queue as soon as there is one', () => {
    const { limiter, told, guest, at, now } = createDoor({ queue: 1 }, 1);
    limiter.resize(1, 1);
    expect([1, 2, 3, 4].map(() => limiter.enter(guest()))).toEqual(['granted', 'waiting', 'waiting', 'shed']);
    limiter.leave();
    at(700);
    limiter.expire(now());
    limiter.leave();
    expect(told).toEqual(['2 granted', '3 granted']);
  });

  test('sheds who has waited too long, and nobody else', () => {
    const { limiter, told, guest, at } = createDoor({ queue: 9, queueMs: 100 }, 1);
    limiter.enter(guest());
    limiter.enter(guest('low'));
    at(50);
    limiter.enter(guest('critical'));
    limiter.expire(99);
    expect(told).toEqual([]);
    limiter.expire(100);
    expect(told).toEqual(['2 timeout']);
    limiter.expire(150);
    expect(told).toEqual(['2 timeout', '3 timeout']);
  });

  test('forgets who is gone', () => {
    const { limiter, told, guest } = createDoor({ queue: 9 }, 1);
    const [, gone, next] = [guest(), guest(), guest()].map((each) => (limiter.enter(each), each));
    limiter.cancel(gone as Guest);
    limiter.cancel(gone as Guest);
    limiter.leave();
    expect(told).toEqual([`${next?.id} granted`]);
  });

  test('lets in whom more room is made for, and lets end what runs when there is less', () => {
    const { limiter, told, guest } = createDoor({ queue: 9 }, 1);
    for (let index = 0; index < 5; index += 1) limiter.enter(guest());
    limiter.resize(3);
    expect(told).toEqual(['2 granted', '3 granted']);
    limiter.resize(1);
    limiter.leave();
    limiter.leave();
    expect([told.length, limiter.running()]).toEqual([2, 1]);
    limiter.leave();
    expect(told).toHaveLength(3);
  });

  test('keeps who runs and waits under other rules, and sheds whom a shorter queue has no room for', () => {
    const { limiter, told, guest } = createDoor({ queue: 9 }, 1);
    for (const priority of ['normal', 'low', 'critical', 'normal'] as const) limiter.enter(guest(priority));
    limiter.configure({ queue: 1, queueMs: 5 });
    expect([told, limiter.running(), limiter.queued()]).toEqual([['2 queue_full', '4 queue_full'], 1, 1]);
    limiter.expire(5);
    expect(told.at(-1)).toBe('3 timeout');
  });

  test('does not run out of stack when a long queue of requests ends at once', () => {
    const limiter = createLimiter({ queue: 100_000, queueMs: 1_000 }, () => 0);
    let ended = 0;
    limiter.resize(1);
    const waiting = (): Waiting => ({
      priority: 'normal',
      granted: () => {
        ended += 1;
        limiter.leave();
      },
      shed: () => {},
    });
    for (let index = 0; index <= 100_000; index += 1) limiter.enter(waiting());
    limiter.leave();
    expect([ended, limiter.running(), limiter.queued()]).toEqual([100_000, 0, 0]);
  });

  test('expects room as fast as requests have been ending', () => {
    const { limiter, guest, at } = createDoor({ queue: 9 }, 2);
    expect(limiter.waitMs()).toBe(1_000);
    for (let index = 0; index < 6; index += 1) limiter.enter(guest());
    for (const now of [100, 300, 500]) {
      at(now);
      limiter.leave();
    }
    expect(limiter.waitMs()).toBe(200 * 2);
  });

  test('does not hide that more have left than came', () => {
    expect(() => createDoor({ queue: 1 }, 1).limiter.leave()).toThrow('left');
  });
});

/** The same rules over plain lists. */
function createModel(settings: { queue: number; queueMs: number }) {
  const rank = { critical: 0, normal: 1, low: 2 };
  let capacity = 0;
  let running = 0;
  let waiting: { guest: Guest; since: number }[] = [];
  const told: string[] = [];
  const order = (): typeof waiting =>
    waiting.toSorted((a, b) => rank[a.guest.priority] - rank[b.guest.priority] || a.guest.id - b.guest.id);
  const letIn = (): void => {
    while (running < capacity && waiting.length > 0) {
      const [next] = order();
      waiting = waiting.filter((each) => each !== next);
      running += 1;
      told.push(`${next?.guest.id} granted`);
    }
  };
  return {
    told,
    counts: () => [running, waiting.length],
    isRunning: () => running > 0,
    enter: (guest: Guest, now: number): string => {
      if (running < capacity) {
        running += 1;
        return 'granted';
      }
      const last = order().at(-1);
      if (waiting.length < settings.queue) waiting.push({ guest, since: now });
      else if (last && settings.queue > 0 && rank[last.guest.priority] > rank[guest.priority]) {
        waiting = [...waiting.filter((each) => each !== last), { guest, since: now }];
        told.push(`${last.guest.id} queue_full`);
      } else return 'shed';
      return 'waiting';
    },
    leave: () => {
      running -= 1;
      letIn();
    },
    cancel: (guest: Guest) => {
      waiting = waiting.filter((each) => each.guest !== guest);
    },
    resize: (next: number) => {
      capacity = next;
      letIn();
    },
    expire: (now: number) => {
      for (const each of order()) {
        if (now - each.since < settings.queueMs) continue;
        waiting = waiting.filter((other) => other !== each);
        told.push(`${each.guest.id} timeout`);
      }
    },
  };
}

test('a limiter does what plain lists would do, over any history', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('enter' as const), priority: fc.constantFrom<Priority>('critical', 'normal', 'low') }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('leave' as const) }) },
    fc.record({ do: fc.constant('cancel' as const), id: fc.nat(60) }),
    fc.record({ do: fc.constant('resize' as const), capacity: fc.nat(4) }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.nat(80) }),
  );
  fc.assert(
    fc.property(fc.nat(6), fc.nat(4), fc.array(step, { maxLength: 120 }), (queue, capacity, steps) => {
      const door = createDoor({ queue, queueMs: 100 }, capacity);
      const model = createModel({ queue, queueMs: 100 });
      model.resize(capacity);
      const guests: Guest[] = [];
      const answers: [string, string][] = [];
      for (const each of steps) {
        if (each.do === 'enter') {
          const guest = door.guest(each.priority);
          guests.push(guest);
          answers.push([door.limiter.enter(guest), model.enter(guest, door.now())]);
        } else if (each.do === 'leave' && model.isRunning()) {
          door.limiter.leave();
          model.leave();
        } else if (each.do === 'cancel') {
          const guest = guests[each.id];
          if (guest) door.limiter.cancel(guest);
          if (guest) model.cancel(guest);
        } else if (each.do === 'resize') {
          door.limiter.resize(each.capacity);
          model.resize(each.capacity);
        } else if (each.do === 'pass') {
          door.at(door.now() + each.ms);
          door.limiter.expire(door.now());
          model.expire(door.now());
        }
        expect(answers.every(([actual, expected]) => actual === expected)).toBe(true);
        expect(door.told).toEqual(model.told);
        expect([door.limiter.running(), door.limiter.queued()]).toEqual(model.counts());
      }
    }),
  );
});
