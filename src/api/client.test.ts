import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { sluiceError, SluiceError } from '../errors/sluice-error.ts';
import type { SluiceEvent } from '../telemetry/events.ts';
import { waitingMessage } from '../notifications/testdata/messages.ts';
import { until } from '../testing/conditions.ts';
import { createClient, type Client } from './client.ts';
import { endpoints } from './endpoints.ts';
import {
  createApiFixture,
  knownDrift,
  knownGateway,
  knownHolder,
  knownOperation,
  knownPlan,
  knownRun,
  type ApiFixture,
} from './testdata/api-fixture.ts';

const info = { type: 'change.progressed', level: 'info', environment: 'production' } as const;

/** A client whose requests go straight into the application. */
async function connect(
  replace: Parameters<typeof createApiFixture>[0] = {},
): Promise<{ api: ApiFixture; client: Client; asked: string[] }> {
  const api = await createApiFixture(replace);
  const asked: string[] = [];
  const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    asked.push(`${request.method} ${new URL(request.url).pathname}`);
    init?.signal?.throwIfAborted();
    const response = await api.app.fetch(request);
    const signal = init?.signal ?? undefined;
    return new Response(response.body?.pipeThrough(new TransformStream(), { ...(signal && { signal }) }), response);
  };
  return { api, asked, client: createClient({ url: 'http://localhost', key: api.keys.admin, fetch }) };
}

async function collect<Value>(source: AsyncIterable<Value>, count: number): Promise<Value[]> {
  const values: Value[] = [];
  for await (const value of source) {
    values.push(value);
    if (values.length === count) break;
  }
  return values;
}

describe('the client', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  it('calls every operation of the route table', async () => {
    const { api, client, asked } = await connect();
    const value = { address: 'production/service/echo', outputs: {}, declared: {}, dependencies: [] };
    await api.store.transact([{ operation: 'put', collection: 'resources', key: 'production/service/echo', value }]);
    await client.status();
    await client.openApi();
    await client.listReleases('production', 'echo');
    await client.getRelease('production', 'echo', 'r-0123456789ab');
    await client.compareReleases('production', 'echo', { from: 'r-000000000000', to: 'r-0123456789ab' });
    expect(await client.getGateway()).toEqual(knownGateway);
    expect(await client.upgradeGateway()).toMatchObject({ pid: 100, replaced: knownGateway.pid });
    expect(await client.metrics()).toBe('sluice_gateway_up 1\n');
    expect(await client.createPlan({ stack: '.' })).toEqual(knownPlan);
    await client.getPlan(knownPlan.id);
    expect(await client.applyPlan(knownPlan.id)).toEqual(knownRun);
    expect(await client.listRuns({ environment: 'production', limit: 5 })).toEqual([knownRun]);
    await client.getRun(knownRun.id);
    await client.cancelRun(knownRun.id);
    expect(await client.listResources('production')).toHaveLength(1);
    await client.getResource('production', 'service', 'echo');
    expect(await client.forgetResource('production', 'service', 'echo')).toMatchObject({ address: 'production/service/echo' });
    await client.listServices('production');
    await client.getService('production', 'echo');
    await client.scaleService('production', 'echo', 3);
    await client.restartService('production', 'echo');
    await client.promoteRollout('production', 'echo', { full: true });
    await client.pauseRollout('production', 'echo');
    await client.resumeRollout('production', 'echo');
    await client.abortRollout('production', 'echo');
    await client.retryRollout('production', 'echo');
    await client.rollBack('production', 'echo', { to: 'r-0123456789ab' });
    expect(await client.listRollouts('production', 'echo')).toEqual([]);
    expect(await client.readLogs('production', 'echo', { tail: 7 })).toEqual([{ instance: 'echo-1', line: 'the last 7 lines' }]);
    const made = { at: knownHolder.since, definition: { variants: { on: true, off: false }, default: 'off', rules: [] } };
    const flag = { id: 'flag-1', environment: 'production', name: 'echo', declared: {}, definition: made.definition };
    const after = { ...flag, createdAt: made.at, changedAt: made.at };
    await api.flagParts.documents.change('production', 'echo', () => ({ after, change: { action: 'applied', by: 'apply' } }));
    expect(await client.killFlag('production', 'echo')).toMatchObject({ serves: 'off to everybody (killed)', override: { by: 'admin' } });
    expect(await client.setFlag('production', 'echo', { variant: 'on', percent: 5 })).toMatchObject({ override: { percent: 5 } });
    expect(await client.previewFlag('production', 'echo', { change: 'clear' })).toMatchObject({ changes: true });
    expect(await client.clearFlag('production', 'echo')).toMatchObject({ serves: 'off' });
    const request = { variant: 'on', service: 'hello' };
    expect(await client.startFlagRollout('production', 'echo', request)).toMatchObject({ percent: 5, steps: [5, 25, 50], by: 'admin' });
    expect(await client.stopFlagRollout('production', 'echo')).toMatchObject({ outcome: 'stopped' });
    expect(await client.getFlagRollout('production', 'echo')).toMatchObject({ waits: 'stopped: stopped by admin', percent: 0 });
    expect(await client.flagHistory('production', 'echo', { limit: 2 })).toMatchObject([{ action: 'cleared' }, { action: 'set' }]);
    expect(await client.evaluateFlag('production', 'echo', {})).toMatchObject({ value: false, matched: 'default' });
    expect(await client.listFlags('production')).toEqual([await client.getFlag('production', 'echo')]);
    const waiting = waitingMessage('production', 'team');
    await api.store.transact([api.outbox.entry(waiting)]);
    expect((await client.listNotifications('production')).messages).toMatchObject([{ id: waiting.id, status: 'waiting' }]);
    expect(await client.retryMessage('production', waiting.id)).toMatchObject({ to: 'notification/team' });
    await expect(client.testNotification('production', 'team')).rejects.toMatchObject({ code: 'unknown_notification' });
    await client.listBackups('production', 'echo');
    expect(await client.backUpDatabase('production', 'echo')).toEqual(knownOperation);
    await client.planRestore('production', 'echo', 'latest');
    await client.restoreDatabase('production', 'echo', 'latest');
    expect(await client.getDatabaseOperation('production', 'echo', knownOperation.id)).toEqual(knownOperation);
    await client.listEvents({ limit: 5 });
    const created = await client.createKey({ name: 'ci', role: 'viewer', expiresInSeconds: 60 });
    expect(await client.listKeys()).toHaveLength(5);
    expect(await client.revokeKey(created.details.id)).toMatchObject({ name: 'ci', revokedAt: expect.any(String) });
    await client.createBackup();
    expect(await client.getLock('production')).toMatchObject({ holder: { host: 'elsewhere' } });
    await client.unlock('production', knownHolder.since);
    expect(await client.getDrift('production')).toEqual(knownDrift);
    await client.repairDrift('production', { parallelism: 2 });
    await client.acceptDrift('production');
    expect((await client.listAudit({ limit: 5 })).items).toHaveLength(5);
    expect(await client.verifyAudit()).toMatchObject({ records: expect.any(Number) });
    await client.shutdown({ workloads: 'keep' });
    expect(api.calls.map((call) => call.replace(/ under [0-9a-f-]{36}$/, ''))).toEqual([
      'forget production/service/echo by admin',
      'scale echo 3',
      'restart echo',
      'promote echo by admin',
      'pause echo by admin',
      'resume echo by admin',
      'abort echo by admin',
      'retry echo by admin',
      'rollback echo by admin',
      'back up echo',
      'restore echo to latest',
      'backup',
      'shutdown keep',
    ]);
    const operations = Object.values(endpoints).filter(({ path }) => path !== '/healthz');
    const covered = operations.filter(({ method, path }) => {
      const pattern = new RegExp(`^${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
      return asked.some((request) => pattern.test(request));
    });
    expect(covered).toHaveLength(operations.length);
  });

  it('throws the error of the catalogue that the server answered with, problems included', async () => {
    const problem = { severity: 'error', code: 'unsupported_kind', message: 'm', help: 'h', address: 'a/queue/q' } as const;
    const refused = sluiceError('plan_refused', { count: 1 }, { problems: [problem] });
    const { client } = await connect({ plans: { create: () => Promise.reject(refused), get: () => Promise.reject(refused) } });
    const error = await client.createPlan({ stack: '.' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SluiceError);
    expect(error).toMatchObject({ code: 'plan_refused', status: 422, retry: 'terminal', message: refused.message, problems: [problem] });
    await expect(client.getRun('run-ffff')).rejects.toMatchObject({ code: 'unknown_run', status: 404 });
  });

  it('passes on the words of an error it does not know yet', async () => {
    const answer = { error: { code: 'quota_of_the_future', message: 'Too much.', help: 'Use less.', retry: 'wait' } };
    const client = createClient({ url: 'http://x', key: 'k', fetch: () => Promise.resolve(Response.json(answer, { status: 429 })) });
    await expect(client.status()).rejects.toMatchObject({ code: 'internal_error', message: 'Too much.', help: 'Use less.' });
  });

  it('says so when nobody answers, or something that is no control plane', async () => {
    const closed = createClient({ url: 'http://127.0.0.1:1', key: 'k' });
    await expect(closed.status()).rejects.toMatchObject({ code: 'control_plane_unreachable' });
    for (const response of [new Response('<html>', { status: 200 }), new Response('nope', { status: 502 })]) {
      const other = createClient({ url: 'http://x', key: 'k', fetch: () => Promise.resolve(response) });
      await expect(other.status()).rejects.toMatchObject({ code: 'control_plane_unreachable' });
    }
  });

  it('sends its key to nobody else: it follows no redirection', async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{}');
    });
    const trap = createServer((_request, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/` }).end();
    });
    for (const server of [elsewhere, trap]) {
      servers.push(server);
      await once(server.listen(0, '127.0.0.1'), 'listening');
    }
    const client = createClient({ url: `http://127.0.0.1:${(trap.address() as AddressInfo).port}`, key: 'sk_secret' });
    await expect(client.status()).rejects.toMatchObject({ code: 'control_plane_unreachable' });
    expect(seen).toEqual([]);
  });

  it('follows events across broken connections without losing or repeating one', async () => {
    const api = await createApiFixture();
    let connections = 0;
    const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      connections += 1;
      if (connections === 2) throw new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') });
      const response = await api.app.fetch(new Request(input, init));
      // Breaks off in the middle of the third message of each connection.
      let sent = 0;
      const cut = new TransformStream<Uint8Array, Uint8Array>({
        transform: (piece, controller) => {
          sent += 1;
          if (sent < 4) controller.enqueue(piece);
          else if (connections < 6) {
            controller.enqueue(piece.slice(0, 20));
            controller.error(new Error('the connection broke'));
          } else controller.enqueue(piece);
        },
      });
      return new Response(response.body?.pipeThrough(cut), response);
    };
    for (let number = 1; number <= 9; number += 1) await api.events.publish({ ...info, message: String(number) });
    const client = createClient({ url: 'http://localhost', key: api.keys.viewer, fetch });
    const over = new AbortController();
    const events = await collect(client.followEvents({ signal: over.signal }), 9);
    over.abort();
    expect(events.map(({ message }) => message)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(connections).toBeGreaterThan(4);
  });

  it('ends a stream without an error when it is told to, and with one when it may not see it', async () => {
    const { client } = await connect();
    const over = new AbortController();
    const following = collect(client.followEvents({ signal: over.signal }), 1);
    over.abort();
    expect(await following).toEqual([]);
    const stranger = createClient({
      url: 'http://localhost',
      key: 'sk_x',
      fetch: async (...request) => (await connect()).api.app.fetch(new Request(...request)),
    });
    await expect(collect(stranger.followEvents({ signal: new AbortController().signal }), 1)).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });

  it('follows logs', async () => {
    const { client } = await connect();
    const lines = await collect(client.followLogs('production', 'echo', { signal: new AbortController().signal }), 2);
    expect(lines.map(({ line }) => line)).toEqual(['one', 'two: {"a":1}']);
  });

  it('waits for a run by its events, and gives what it came to', async () => {
    const { api, client } = await connect();
    const seen: SluiceEvent[] = [];
    const waiting = client.waitForRun(knownRun.id, { onEvent: (event) => seen.push(event) });
    await api.events.publish({ ...info, message: 'of another run', run: 'run-ffffffff' });
    await api.events.publish({ ...info, message: 'half', run: knownRun.id });
    await until('the first event', () => seen.length === 1);
    await api.events.publish({ ...info, type: 'run.finished', message: 'over', run: knownRun.id });
    expect(await waiting).toEqual(knownRun);
    expect(seen.map(({ message }) => message)).toEqual(['half', 'over']);
  });

  it('stops waiting for a run when it is told to, and leaves the run alone', async () => {
    const { client, asked } = await connect();
    const over = new AbortController();
    const waiting = client.waitForRun(knownRun.id, { signal: over.signal });
    over.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(asked.filter((request) => request.startsWith('POST'))).toEqual([]);
  });
});
