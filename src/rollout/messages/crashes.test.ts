import { describe, expect, it } from 'vitest';
import type { Json } from '../../digest/json.ts';
import { systemClock } from '../../effects/clock.ts';
import type { OutboxMessage } from '../../notifications/message.ts';
import { createNotificationDocuments } from '../../notifications/notification-documents.ts';
import { createOutbox } from '../../notifications/outbox.ts';
import { notificationEvents } from '../../stack/kinds/notification.ts';
import { createMemoryStore } from '../../store/memory-store.ts';
import { createEventLog } from '../../telemetry/event-log.ts';
import { desiredRelease } from '../simulation/desired-release.ts';
import { createWorld, type World } from '../simulation/world.ts';

/** Every third effect is enough for every day. */
const step = process.env['SLUICE_SIMULATION_RUNS'] === undefined ? 3 : 1;

const hook = { name: 'load', url: 'http://x/', timeoutMs: 500, retries: 1, onFailure: 'rollback', when: 'after' } as const;

/** A canary with a hook whose controller dies at its so-manieth effect, and what was told of it in the end. */
async function rollOut(effect: number, moment: 'before' | 'after') {
  const store = createMemoryStore();
  const outbox = createOutbox(store);
  const record = { environment: 'default', name: 'all', url: 'http://x/', format: 'json' as const, on: [...notificationEvents] };
  await createNotificationDocuments(store).write(record);
  const events = createEventLog({ store: createMemoryStore(), clock: systemClock });
  const world = await createWorld({ store, events, behaviours: { two: { readyAfter: 700 } } });
  const asked: string[] = [];
  /** Answers what is asked, as whoever delivers does. */
  const deliver = async (): Promise<void> => {
    for (const { message } of await outbox.list()) {
      if (message.target.kind !== 'hook' || message.answer !== undefined) continue;
      asked.push(message.id);
      const value = { ...message, answer: { outcome: 'passed' } } as unknown as Json;
      await store.transact([{ operation: 'put', collection: 'outbox', key: message.id, value }]);
    }
  };
  await deploy(world, 'one');
  await world.clock.advance(20_000);
  world.crashAt(effect, moment);
  await deploy(world, 'two');
  for (let second = 0; second < 40; second += 1) {
    await world.clock.advance(1_000);
    await deliver();
  }
  const messages = (await outbox.list()).map(({ message }) => message).toSorted((one, other) => one.order - other.order);
  const state = await world.state();
  await world.controller.stop();
  return { told: messages.filter(({ target }) => target.kind === 'notification').map(inWords), left: messages.length, asked, state };
}

async function deploy(world: World, release: string): Promise<void> {
  const desired = desiredRelease(release, release, { strategy: 'canary' });
  const { rollout } = desired.settings;
  const stages = rollout.stages?.map((stage, index) => (index === 0 ? { ...stage, hooks: [hook] } : stage)) ?? [];
  const asking = { ...desired, settings: { ...desired.settings, rollout: { ...rollout, stages } } };
  // Whoever deploys asks again when the control plane died under it.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const isDone = await world.controller.setDesired(asking).then(
      () => true,
      () => false,
    );
    if (isDone) return;
  }
}

function inWords({ body }: OutboxMessage): string {
  return `${body.type} ${'rollout' in body ? body.rollout.release : ''}`;
}

describe('what is told of a rollout whose controller dies', () => {
  it('at any effect is what is told of one whose controller does not', async () => {
    const whole = await rollOut(Number.POSITIVE_INFINITY, 'before');
    const expected = ['started one', 'completed one', 'started two', 'stage two', 'stage two', 'stage two', 'completed two'];
    expect(whole.told).toEqual(expected.map((event) => `rollout.${event}`));
    expect([whole.left, whole.asked.length]).toEqual([whole.told.length, 1]);
    for (let effect = 1; effect <= 24; effect += step) {
      for (const moment of ['before', 'after'] as const) {
        const { told, left, asked, state } = await rollOut(effect, moment);
        expect([effect, moment, told, left]).toEqual([effect, moment, whole.told, whole.left]);
        expect([effect, moment, new Set(asked).size, state?.stable]).toEqual([effect, moment, 1, 2]);
      }
    }
  });
});
