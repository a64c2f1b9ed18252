import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPermitsLedger, divide, type Grant } from './permits-ledger.ts';

test('everybody gets what he needs or an equal part, and what nobody needs is kept ready everywhere', () => {
  expect(divide(10, [0, 0])).toEqual([5, 5]);
  expect(divide(10, [9, 0])).toEqual([10, 0]);
  expect(divide(10, [20, 20])).toEqual([5, 5]);
  expect(divide(10, [2, 20, 20])).toEqual([2, 4, 4]);
  expect(divide(2, [1, 1, 1])).toEqual([1, 1, 0]);
});

test('a division gives out all there is, and nobody less than an equal part of it that he needs', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 }),
      (capacity, demands) => {
        const shares = divide(capacity, demands);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(capacity);
        const fair = Math.floor(capacity / demands.length);
        for (const [index, share] of shares.entries()) expect(share).toBeGreaterThanOrEqual(Math.min(demands[index] as number, fair));
      },
    ),
  );
});

/** A worker that carries out grants in their order, some time after they were sent. */
interface SimulatedWorker {
  readonly id: number;
  inbox: Grant[];
  share: number;
  running: number;
  queued: number;
  served: number;
  unacknowledged: number | undefined;
}

type Step = { readonly act: 'arrive' | 'deliver' | 'finish' | 'report' | 'acknowledge' | 'die'; readonly pick: number };

function createWorld(capacity: number, count: number) {
  let number = 0;
  const ledger = createPermitsLedger(() => (number += 1));
  let workers: SimulatedWorker[] = [];
  let ids = 0;
  const send = (grants: readonly Grant[]): void => {
    for (const grant of grants) workers.find(({ id }) => id === grant.worker)?.inbox.push(grant);
  };
  const hire = (): void => {
    ids += 1;
    workers.push({ id: ids, inbox: [], share: 0, running: 0, queued: 0, served: 0, unacknowledged: undefined });
    send(ledger.join(ids));
  };
  const admit = (worker: SimulatedWorker): void => {
    const admitted = Math.max(0, Math.min(worker.queued, worker.share - worker.running));
    worker.queued -= admitted;
    worker.running += admitted;
  };
  const acts: Record<Step['act'], (worker: SimulatedWorker) => void> = {
    arrive: (worker) => {
      worker.queued += 1;
      admit(worker);
    },
    deliver: (worker) => {
      const grant = worker.inbox.shift();
      if (grant === undefined) return;
      worker.share = grant.capacity;
      worker.unacknowledged = grant.sequence;
      admit(worker);
    },
    finish: (worker) => {
      if (worker.running === 0) return;
      worker.running -= 1;
      worker.served += 1;
      admit(worker);
    },
    report: (worker) => send(ledger.demand(worker.id, worker.running + worker.queued)),
    acknowledge: (worker) => {
      if (worker.unacknowledged === undefined || worker.running > worker.share) return;
      send(ledger.acknowledged(worker.id, worker.unacknowledged));
      worker.unacknowledged = undefined;
    },
    die: (worker) => {
      workers = workers.filter((each) => each !== worker);
      send(ledger.leave(worker.id));
      hire();
    },
  };
  for (let index = 0; index < count; index += 1) hire();
  send(ledger.setCapacity(capacity));
  return {
    workers: () => workers,
    running: () => workers.reduce((sum, { running }) => sum + running, 0),
    step: ({ act, pick }: Step): void => acts[act](workers[pick % workers.length] as SimulatedWorker),
    round: (): void => {
      for (const act of ['deliver', 'acknowledge', 'finish', 'acknowledge', 'report'] as const)
        for (const worker of workers) acts[act](worker);
    },
  };
}

const steps = fc.array(
  fc.record<Step>({
    act: fc.constantFrom('arrive', 'arrive', 'deliver', 'finish', 'report', 'acknowledge', 'die'),
    pick: fc.nat(20),
  }),
  { maxLength: 150 },
);

test('workers together never run more than the service may, whatever is late, lost or dead; and whoever waits gets his turn', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 5 }), steps, (capacity, count, history) => {
      const world = createWorld(capacity, count);
      for (const step of history) {
        world.step(step);
        expect(world.running()).toBeLessThanOrEqual(capacity);
      }
      for (let rounds = 0; world.workers().some(({ running, queued }) => running + queued > 0); rounds += 1) {
        expect(rounds).toBeLessThan(2_000);
        world.round();
        expect(world.running()).toBeLessThanOrEqual(capacity);
      }
    }),
    { numRuns: 300 },
  );
});

test('with fewer permits than workers all of them are served alike', () => {
  const world = createWorld(1, 3);
  for (let rounds = 0; rounds < 300; rounds += 1) {
    for (const pick of [0, 1, 2]) if ((world.workers()[pick]?.queued ?? 0) < 5) world.step({ act: 'arrive', pick });
    world.round();
    expect(world.running()).toBeLessThanOrEqual(1);
  }
  const served = world.workers().map((worker) => worker.served);
  expect(Math.min(...served)).toBeGreaterThan(Math.max(...served) / 3);
});
