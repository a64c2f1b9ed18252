import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import { until } from '../testing/conditions.ts';
import type { NewMessage } from './outbox.ts';
import { deliveryWorld } from './testdata/delivery-world.ts';
import { waitingHook, waitingMessage } from './testdata/messages.ts';
import { startReceiver } from './testdata/receiver.ts';

const message = (receiver: string, order = 1): NewMessage => ({ ...waitingMessage('test', receiver, order), createdAt: systemClock.now() });
describe('what waits in the outbox', () => {
  it('reaches a receiver that was down for a while, in order and signed; another receiver does not wait for it', async () => {
    const world = deliveryWorld();
    let isDown = true;
    const slow = await startReceiver((response) => response.writeHead(isDown ? 503 : 204).end());
    const other = await startReceiver();
    await world.declare('slow', slow.url, '${secret.key}');
    await world.declare('other', other.url);
    world.begin('one');
    await world.put(message('slow', 2), message('slow', 1), message('other', 1));
    await until('the other one', () => other.received.length === 1);
    await until('three attempts', () => slow.received.length >= 3);
    expect(new Set(slow.received.map(({ id }) => id))).toEqual(new Set(['msg-slow0001']));
    expect((await world.outbox.list()).map(({ message: each }) => each.trouble)).toContain('it answered 503');
    isDown = false;
    await until('an empty outbox', world.isEmpty);
    expect(slow.received.at(-1)?.id).toBe('msg-slow0002');
    const { headers, body, id } = slow.received[0] ?? { headers: {}, body: '', id: '' };
    const signed = createHmac('sha256', 'a-known-secret')
      .update(`${id}.${String(headers['webhook-timestamp'])}.${body}`)
      .digest('base64');
    expect(headers).toMatchObject({ 'idempotency-key': id, 'webhook-signature': `v1,${signed}`, 'user-agent': 'Sluice/test' });
    expect(JSON.parse(body)).toMatchObject({ id, type: 'rollout.completed', message: 'agent: r-2 is in use (1)' });
    expect((await world.notifications.deliveries('test')).get('slow')).toBeGreaterThan(0);
  });

  it('is delivered again under the same id when its process died before it could note the delivery', async () => {
    const world = deliveryWorld();
    const receiver = await startReceiver();
    await world.declare('team', receiver.url);
    let writes = 0;
    const death = Promise.withResolvers<never>();
    const transact: typeof world.store.transact = (list) => {
      writes += 1;
      // The first write claims the message; the second one would note that it was delivered.
      return writes === 1 ? world.store.transact(list) : death.promise;
    };
    world.begin('first', {}, { ...world.store, transact });
    await world.put(message('team'));
    await until('the first delivery', () => receiver.received.length === 1 && writes === 2);
    world.begin('second');
    await world.put(message('another'));
    expect(receiver.received).toHaveLength(1);
    world.living.delete('first');
    world.outbox.announce();
    await until('the second delivery', () => receiver.received.length === 2);
    expect(receiver.received.map(({ id }) => id)).toEqual(['msg-team0001', 'msg-team0001']);
    await until('an empty outbox', world.isEmpty);
    death.reject(new Error('it is dead'));
  });

  it('is sent by one control plane at a time, however many there are, and each message once', async () => {
    const world = deliveryWorld();
    const open = new Set<string>();
    const together: string[] = [];
    const receiver = await startReceiver((response, { id }) => {
      if (open.size > 0) together.push(id);
      open.add(id);
      setImmediate(() => {
        open.delete(id);
        response.end();
      });
    });
    await world.declare('team', receiver.url);
    for (const name of ['a', 'b', 'c']) world.begin(name);
    await world.put(...Array.from({ length: 20 }, (_, index) => message('team', index + 1)));
    await until('an empty outbox', world.isEmpty);
    const ids = receiver.received.map(({ id }) => id);
    expect([ids, together]).toEqual([ids.toSorted(), []]);
    expect(ids).toHaveLength(20);
  });

  it('is given up with the reason, keeps nothing behind it waiting, and can be delivered all the same later', async () => {
    const world = deliveryWorld();
    let status = 503;
    const receiver = await startReceiver((response) => response.writeHead(status).end());
    await world.declare('team', receiver.url);
    world.begin('one', { policy: { firstMs: 1, mostMs: 1, attempts: 3, ageMs: 60_000 } });
    await world.put(message('team', 1));
    await until('the end of the first', () => world.dead.length === 1);
    expect(world.dead).toMatchObject([{ id: 'msg-team0001', attempts: 3, reason: 'it answered 503; it was tried 3 times' }]);
    expect(receiver.received).toHaveLength(3);
    status = 200;
    await world.put(message('team', 2));
    await until('an empty outbox', world.isEmpty);
    const [given] = await world.outbox.dead();
    if (given === undefined) throw new Error('nothing was given up');
    await world.store.transact(world.outbox.revival(given, systemClock.now()));
    world.outbox.announce();
    await expect(world.store.transact(world.outbox.revival(given, systemClock.now()))).rejects.toMatchObject({ code: 'store_conflict' });
    await until('an empty outbox', world.isEmpty);
    expect(receiver.received.slice(3).map(({ id }) => id)).toEqual(['msg-team0002', 'msg-team0001']);
  });

  it('goes with its notification, and what cannot be understood keeps nobody else waiting', async () => {
    const world = deliveryWorld();
    const receiver = await startReceiver();
    await world.declare('team', receiver.url);
    await world.store.transact([{ operation: 'put', collection: 'outbox', key: 'poison', value: { id: 7 } }]);
    await world.put(message('gone'), message('team'));
    world.begin('one');
    await until('an empty outbox', world.isEmpty);
    expect([receiver.received.length, world.dead, world.reported]).toEqual([1, [], []]);
  });

  it('ends soon although a receiver hangs, and what was being sent is free for the next one at once', async () => {
    const world = deliveryWorld();
    const receiver = await startReceiver(() => undefined);
    await world.declare('team', receiver.url);
    const one = world.begin('one');
    await world.put(message('team'));
    await until('the attempt', () => receiver.received.length === 1);
    await one.stop();
    const [left] = await world.outbox.list();
    expect(left?.message).toMatchObject({ id: 'msg-team0001', attempts: 0 });
    expect(left?.message.claim).toBeUndefined();
  });
});

describe('a hook', () => {
  it('is asked until it answers, and its answer waits for its rollout', async () => {
    const world = deliveryWorld();
    let times = 0;
    const receiver = await startReceiver((response) => response.writeHead((times += 1) === 1 ? 500 : 200).end());
    world.begin('one');
    await world.put(waitingHook('msg-load', receiver.url));
    await until('the answer', () => world.answered.length === 1);
    expect(receiver.received.map(({ id }) => id)).toEqual(['msg-load', 'msg-load']);
    expect(await world.outbox.answerOf('msg-load')).toEqual({ outcome: 'passed' });
    world.outbox.announce();
    expect(await world.isEmpty()).toBe(false);
  });

  it.each([
    ['{"reason":"p99 of a-known-secret\\nis too high"}', 'it answered 422: p99 of *** is too high'],
    ['\u001b[31mno\u0000!', 'it answered 422: [31mno !'],
    ['<html>no</html>', 'it answered 422'],
    ['', 'it answered 422'],
  ])('that answers no is not asked again: %j', async (text, reason) => {
    const world = deliveryWorld();
    const receiver = await startReceiver((response) => response.writeHead(422).end(text));
    world.begin('one');
    await world.put(waitingHook('msg-load', receiver.url));
    await until('the answer', () => world.answered.length === 1);
    expect(receiver.received).toHaveLength(1);
    expect(await world.outbox.answerOf('msg-load')).toEqual({ outcome: 'failed', reason });
  });

  it('that sends one elsewhere or answers nothing has failed after its attempts', async () => {
    const world = deliveryWorld();
    const receiver = await startReceiver((response) => response.writeHead(302, { location: '/elsewhere' }).end());
    world.begin('one');
    await world.put(waitingHook('msg-load', receiver.url, { retries: 0 }));
    await until('the answer', () => world.answered.length === 1);
    expect(await world.outbox.answerOf('msg-load')).toEqual({
      outcome: 'failed',
      reason: 'it answered 302, and redirects are not followed',
    });
    expect(receiver.received).toHaveLength(1);
    const silent = await startReceiver(() => undefined);
    await world.put(waitingHook('msg-silent', silent.url, { retries: 0, timeoutMs: 50 }));
    await until('the other answer', () => world.answered.length === 2);
    expect(await world.outbox.answerOf('msg-silent')).toEqual({ outcome: 'failed', reason: 'it did not answer within 0.05 s' });
  });
});
