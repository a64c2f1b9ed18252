import { describe, expect, it } from 'vitest';
import type { Json } from '../../digest/json.ts';
import type { OutboxMessage } from '../../notifications/message.ts';
import { createNotificationDocuments } from '../../notifications/notification-documents.ts';
import { createOutbox } from '../../notifications/outbox.ts';
import { notificationEvents } from '../../stack/kinds/notification.ts';
import { createMemoryStore } from '../../store/memory-store.ts';
import { recorded } from '../rollout-record.ts';
import { createServiceDocuments } from '../service-documents.ts';
import type { RolloutSettings, ServiceState } from '../service-state.ts';
import { createVirtualClock } from '../simulation/virtual-clock.ts';
import { stage, world } from '../testdata/staged-world.ts';
import { createRolloutMessages } from './rollout-messages.ts';

const hook = { name: 'load', url: '${secret.url}', timeoutMs: 500, retries: 1, onFailure: 'rollback', when: 'after' } as const;
const settings: Partial<RolloutSettings> = { strategy: 'canary', stages: [{ ...stage(5, 1_000), hooks: [hook] }, stage(50, 0, true)] };

/** A rollout whose states are stored one after the other, with what is to be told of them. */
async function told() {
  const store = createMemoryStore();
  const outbox = createOutbox(store);
  const notifications = createNotificationDocuments(store);
  const everything = { environment: 'default', url: 'http://x/', format: 'json' as const, on: [...notificationEvents] };
  await notifications.write({ ...everything, name: 'all' });
  await notifications.write({ ...everything, name: 'others', services: ['another'] });
  await notifications.write({ ...everything, name: 'failures', on: ['failed'] });
  const messages = createRolloutMessages({ outbox, clock: createVirtualClock() });
  const documents = createServiceDocuments(store, messages);
  const place = world(settings);
  let last: ServiceState | undefined;
  let saved = 0;
  const save = async (): Promise<void> => {
    for (const state of [...place.states.slice(saved), place.state()]) {
      const next = recorded(last, { ...state, ...(last?.rollouts && { rollouts: last.rollouts }) }, 0, { by: 'ada', why: 'faster' });
      last = next;
      await documents.change('default/agent', () => next);
    }
    saved = place.states.length;
  };
  const waiting = async (): Promise<readonly OutboxMessage[]> =>
    (await outbox.list()).map(({ message }) => message).toSorted((one, other) => one.order - other.order);
  const types = async (): Promise<readonly string[]> =>
    (await waiting()).map(({ body, target }) => `${body.type} ${target.kind === 'hook' ? 'hook' : target.name}`);
  await save();
  return { ...place, store, outbox, save, waiting, types, messages, last: () => last as ServiceState };
}

/** The ids of what is told of the same rollout. */
async function ids(): Promise<readonly string[]> {
  const { deploy, pass, save, waiting } = await told();
  deploy('r-2');
  await save();
  pass(1_000);
  await save();
  return (await waiting()).map(({ id }) => id).toSorted();
}

describe('what is told of a rollout', () => {
  it('is written with each transition, in order, to those who want to hear of it', async () => {
    const { deploy, pass, trouble, settle, operate, save, types, waiting } = await told();
    deploy('r-2');
    await save();
    pass(1_000);
    await save();
    expect(await types()).toEqual(expect.arrayContaining(['rollout.started all', 'rollout.stage all', 'hook hook']));
    trouble.extra = { hooks: new Map([['stage-1/after/load', { outcome: 'passed' as const }]]) };
    settle();
    await save();
    operate({ type: 'promote', full: true });
    await save();
    const all = (await waiting()).filter(({ service }) => service === 'agent');
    expect(all.map(({ body }) => body.type)).toEqual(
      'started completed started stage stage approval_needed stage completed'.split(' ').map((event) => `rollout.${event}`),
    );
    expect(new Set(all.map(({ target }) => target.name))).toEqual(new Set(['all']));
    expect(all.at(-1)?.body).toMatchObject({
      message: 'agent: r-2 is in use',
      rollout: { release: 'r-2', from: 'r-1', strategy: 'canary', by: 'ada', why: 'faster', generation: 2 },
    });
    expect(all[5]?.body).toMatchObject({
      message: 'agent: r-2 waits for approval: sluice rollout promote agent',
      rollout: { stage: { current: 2, of: 3 } },
    });
    expect(new Set(all.map(({ lane }) => lane)).size).toBe(1);
  });

  it('says why a release was taken back, and asks no hook of it any longer', async () => {
    const { deploy, pass, operate, save, types, waiting } = await told();
    deploy('r-2');
    pass(1_000);
    await save();
    const asked = (await waiting()).find(({ target }) => target.kind === 'hook');
    expect(asked).toMatchObject({
      target: { url: '${secret.url}', timeoutMs: 500, retries: 1 },
      body: { type: 'hook', hook: { name: 'load', when: 'after', round: 1 }, rollout: { release: 'r-2', weight: 5 } },
    });
    operate({ type: 'abort' });
    await save();
    expect(await types()).toEqual(expect.arrayContaining(['rollout.failed all', 'rollout.failed failures']));
    expect((await types()).filter((type) => type.startsWith('hook'))).toEqual([]);
    const failed = (await waiting()).find(({ body }) => body.type === 'rollout.failed');
    expect(failed?.body).toMatchObject({ reason: 'aborted by ada' });
  });

  it('has ids that follow from what happened: the same transition of the same life, and no other, has the same', async () => {
    const [first, second] = [await ids(), await ids()];
    expect(first).toEqual(second);
    expect(new Set(first).size).toBe(first.length);
    for (const id of first) expect(id).toMatch(/^msg-[0-9a-f]{32}$/);
  });

  it('is written in one transaction with the state: neither is there without the other', async () => {
    const { deploy, outbox, store, messages, last, state } = await told();
    const before = last();
    deploy('r-2');
    const after = recorded(before, state(), 0);
    const writes = await messages.writes(before, after, 2);
    expect(writes.map((write) => write.operation)).toEqual(['put']);
    const count = (await outbox.list()).length;
    const documents = createServiceDocuments(store, messages);
    const stale = { version: 7, state: before };
    expect(await documents.replace('default/agent', stale, after)).toBe(false);
    expect((await outbox.list()).length).toBe(count);
  });

  it('takes in the answer of a hook only for the round that was asked', async () => {
    const { deploy, pass, save, waiting, messages, store, last } = await told();
    deploy('r-2');
    pass(1_000);
    await save();
    expect(await messages.answersOf(last())).toEqual(new Map());
    const asked = (await waiting()).find(({ target }) => target.kind === 'hook') as OutboxMessage;
    const value = { ...asked, answer: { outcome: 'passed' } } as unknown as Json;
    await store.transact([{ operation: 'put', collection: 'outbox', key: asked.id, value }]);
    expect(await messages.answersOf(last())).toEqual(new Map([['stage-1/after/load', { outcome: 'passed' }]]));
    const state = last();
    const course = {
      ...state.candidate?.course,
      stage: 0,
      weight: 5,
      hooks: { 'stage-1/after/load': { status: 'due', round: 2, since: 0 } },
    } as const;
    const again = { ...state, candidate: { ...(state.candidate as NonNullable<ServiceState['candidate']>), course } };
    expect(await messages.answersOf(again)).toEqual(new Map());
  });
});
