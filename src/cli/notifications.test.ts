import { describe, expect, it } from 'vitest';
import type { Json } from '../digest/json.ts';
import { waitingMessage } from '../notifications/testdata/messages.ts';
import { startReceiver } from '../notifications/testdata/receiver.ts';
import { addResource, controlPlaneFixture, type ControlPlaneFixture } from './testdata/control-plane-fixture.ts';

async function withNotification(url: string, secret?: string): Promise<ControlPlaneFixture> {
  const fixture = await controlPlaneFixture();
  await addResource(fixture, 'notification', 'team');
  const value = { environment: 'default', name: 'team', url, format: 'json', on: ['failed'], ...(secret !== undefined && { secret }) };
  await fixture.store.transact([{ operation: 'put', collection: 'notifications', key: 'default/team', value }]);
  return fixture;
}

/** A message that was given up, and one behind it that waits. */
async function leaveBehind({ store, outbox }: ControlPlaneFixture): Promise<void> {
  const [first, second] = [waitingMessage('default', 'team', 1), waitingMessage('default', 'team', 2)];
  const given = { ...first, attempts: 60, dueAt: 0, diedAt: first.createdAt, reason: 'it answered 503; it was tried 60 times' };
  await store.transact([
    { operation: 'put', collection: 'outbox-dead', key: first.id, value: given as unknown as Json },
    outbox.entry(second),
  ]);
}

describe('notification', () => {
  it('list shows who is told and what has not arrived, but not the path of a URL', async () => {
    const fixture = await withNotification('https://hooks.example/services/T0/B0/path-is-secret');
    await leaveBehind(fixture);
    const { stdout, code } = await fixture.sluice('notification', 'list');
    expect(code).toBe(0);
    expect(stdout).toMatch(/default +team +https:\/\/hooks.example\/… +failed +never +1 +1/);
    expect(stdout).toMatch(
      /msg-team0001 +dead +notification\/team +agent: r-2 is in use \(1\) +60 .*it answered 503; it was tried 60 times/s,
    );
    expect(stdout).toMatch(/msg-team0002 +waiting .* 0 +in turn/);
    const all = await fixture.sluice('notification', 'list', '--json');
    expect(JSON.parse(all.stdout)).toMatchObject({
      notifications: [{ name: 'team', dead: 1 }],
      messages: [{ status: 'dead' }, { status: 'waiting' }],
    });
    expect(all.stdout + stdout).not.toContain('path-is-secret');
  });

  it('retry takes up what was given up, by its id or all of it, and the audit log has who', async () => {
    const fixture = await withNotification('https://hooks.example/');
    await leaveBehind(fixture);
    expect(await fixture.sluice('notification', 'retry', '--all', '--reason', 'it is back')).toMatchObject({
      code: 0,
      stdout: 'msg-team0001 is sent to notification/team now.\nmsg-team0002 is sent to notification/team now.\n',
    });
    expect((await fixture.outbox.list()).map(({ message }) => [message.id, message.attempts])).toEqual([
      ['msg-team0001', 0],
      ['msg-team0002', 0],
    ]);
    expect(await fixture.outbox.dead()).toEqual([]);
    expect((await fixture.audit.read(0, 9)).map(({ action, reason }) => [action, reason])).toContainEqual([
      'notification.retry',
      'it is back',
    ]);
    expect((await fixture.sluice('notification', 'retry', 'msg-team0002')).code).toBe(0);
    expect(await fixture.sluice('notification', 'retry', 'msg-0000')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No message'),
    });
    expect(await fixture.sluice('notification', 'retry')).toMatchObject({ code: 64 });
  });

  it('retry --all says so when everything has arrived', async () => {
    const fixture = await withNotification('https://hooks.example/');
    const { code, stderr } = await fixture.sluice('notification', 'retry', '--all');
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('Nothing waits') });
  });

  it('test sends a signed sample and says what came of it', async () => {
    let status = 200;
    const receiver = await startReceiver((response) => response.writeHead(status).end());
    const fixture = await withNotification(receiver.url, 'a key');
    expect(await fixture.sluice('notification', 'test', 'team')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^team has taken it, after \d+ ms/),
    });
    expect(JSON.parse(receiver.received[0]?.body ?? '{}')).toMatchObject({ type: 'test', address: 'default/notification/team' });
    expect(receiver.received[0]?.headers['webhook-signature']).toMatch(/^v1,/);
    status = 404;
    expect(await fixture.sluice('notification', 'test', 'team')).toMatchObject({
      code: 1,
      stdout: 'team could not be told: it answered 404.\n',
      stderr: expect.stringContaining('what waits is tried again by itself'),
    });
    expect((await fixture.sluice('notification', 'test', 'taem')).stderr).toContain('team');
  });
});
