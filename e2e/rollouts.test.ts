import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../src/effects/clock.ts';
import { startReceiver } from '../src/notifications/testdata/receiver.ts';
import { answering } from '../src/testing/answering.ts';
import { until } from '../src/testing/conditions.ts';
import { anxiousPrompt, createRolloutWorld, usualPrompt, type RolloutWorld } from './rollout-world.ts';
import { filesContaining } from './leftovers.ts';
import { controlPlane, start } from './sluice.ts';

const key = 'a-key-for-signing-7f31';
const byHand = (hook: string) =>
  `{ strategy: canary, affinity: { cookie: session }, steps: [{ weight: 5, approval: true }, { weight: 25, approval: true, hooks: [{ name: load, url: "${hook}", secret: "\${secret.key}", timeout: 5m }] }], analysis: { error_rate: {} }, baseline: true }`;
const copying = `{ strategy: canary, steps: [{ mirror: 100, for: 60s }, { weight: 20, for: 60s }], analysis: { error_rate: {}, min_requests: 200 } }`;
const judged = `{ strategy: canary, affinity: { cookie: session }, steps: [{ weight: 20, for: 60s }], analysis: { error_rate: {}, decisions: { attribute: decision }, min_requests: 200 } }`;
const auto = '{ strategy: auto, steps: [{ weight: 20, approval: true }] }';
const experimenting = `
    strategy: canary
    affinity: { cookie: session }
    steps: [{ weight: 5, for: 100ms }]
    analysis: { error_rate: {}, min_requests: 50 }
    experiment:
      metric: { attribute: outcome, value: resolved, goal: more }
      share: 60
      for: 1s
      min_units: 150
      arms:
        warm: { env: { WORD: warm, RESOLVES: 0.8 } }
        terse: { env: { WORD: terse, FAILS: 0.4 } }`;
const blueGreen = `{ strategy: blue_green, smoke: { path: /healthz }, keep_previous: 10m }`;

describe('rollouts of a service under load', () => {
  let place: RolloutWorld;
  let bot: Awaited<ReturnType<typeof startReceiver>>;
  let tester: Awaited<ReturnType<typeof startReceiver>>;
  let others = '';
  /** Until the control plane has been killed, the bot is down and the tester silent. */
  const receivers = { areUp: false, stops: [] as (() => Promise<void>)[] };
  /** Events of the canary that the bot was told of, by the id of the message, in the order of their first delivery. */
  const told = () => {
    const news = bot.received.map(({ body }) => JSON.parse(body) as { id: string; type: string; rollout: { strategy: string } });
    return new Map(news.flatMap(({ id, type, rollout }) => (rollout.strategy === 'canary' ? [[id, type]] : [])));
  };

  beforeAll(async () => {
    const { stops } = receivers;
    bot = await startReceiver(
      (response) => response.writeHead(receivers.areUp ? 204 : 503).end(),
      (stop) => stops.push(stop),
    );
    tester = await startReceiver(
      (response) => receivers.areUp && response.end(),
      (stop) => stops.push(stop),
    );
    place = await createRolloutWorld();
    await writeFile(join(place.world.directory, 'key.txt'), key);
    others = `secret: { name: key, value: { file: key.txt } }
notification: { name: bot, url: "${bot.url}", secret: "\${secret.key}", on: [started, stage, approval_needed, completed] }\n`;
    await place.begin({ word: 'first' }, others);
  }, 60_000);
  afterAll(async () => {
    for (const stop of receivers.stops) await stop();
    await place.dispose();
  });

  it('a canary keeps its users, outlives a kill -9 of the control plane, asks its hook again, and takes over when agreed to', async () => {
    const { write, run, view, reaches, ask, load, world } = place;
    const users = Array.from({ length: 300 }, (_, index) => `person-${index}`);
    const whoSees = async (word: string): Promise<ReadonlySet<string>> => {
      const answers = await Promise.all(users.map(async (user) => [user, await ask(user)] as const));
      return new Set(answers.filter(([, answer]) => answer === word).map(([user]) => user));
    };
    const traffic = load('second');
    await write(byHand(tester.url), { word: 'second' }, usualPrompt, others);
    const deploy = start(world, 'deploy', 'agent', '--reason', 'a better word');
    let said = '';
    deploy.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const left = once(deploy, 'close');
    const { rollout, weights } = await reaches(5);
    expect([rollout?.baseline, weights.map(({ percent, baseline }) => [percent, baseline])]).toEqual([
      { instances: 1, ready: 1 },
      [
        [5, undefined],
        [5, true],
        [90, undefined],
      ],
    ]);
    deploy.kill('SIGINT');
    expect(await left).toEqual([130, null]);
    expect(said).toMatch(/The run \S+ goes on in the background/);
    const few = await whoSees('second');
    expect([few.size > 0, few.size < 60]).toEqual([true, true]);
    expect(await ask('anybody', { 'x-sluice-release': rollout?.release ?? '' })).toBe('second');
    await run(0, 'rollout', 'promote', 'agent', '--reason', 'looks good');
    await reaches(25);
    const more = await whoSees('second');
    expect([...few].filter((user) => !more.has(user))).toEqual([]);
    expect([more.size > 40, more.size < 120]).toEqual([true, true]);
    await until('the question of the hook', () => tester.received.length > 0);
    expect((await view()).rollout).toMatchObject({ waits: { for: 'hook' }, hooks: [{ hook: 'stage-2/after/load', status: 'due' }] });
    process.kill((await controlPlane(world)).pid, 'SIGKILL');
    receivers.areUp = true;
    await run(0, 'status');
    await until('the answer of the hook', async () => (await view()).rollout?.waits.for === 'approval');
    expect((await reaches(25)).rollout?.stages?.current).toBe(2);
    await run(0, 'rollout', 'promote', 'agent', '--full');
    await until('the second in use', async () => (await view()).rollout === undefined && (await view()).release === rollout?.release);
    expect(await whoSees('second')).toEqual(new Set(users));
    expect((await traffic.stop()).lost).toEqual([]);
    const history = await run(0, 'rollout', 'history', 'agent', '--json');
    expect(JSON.parse(history.stdout)).toMatchObject([{ outcome: 'completed', by: 'local', strategy: 'canary' }, { outcome: 'completed' }]);
  }, 120_000);

  it('told a receiver that was down all of it, in order and signed, and asked the hook under one id', async () => {
    await until('the last of the news', () => [...told().values()].includes('rollout.completed'));
    expect([...told().values()]).toEqual(
      'started stage approval_needed stage approval_needed stage completed'.split(' ').map((event) => `rollout.${event}`),
    );
    expect([new Set(tester.received.map(({ id }) => id)).size, tester.received.length > 1]).toEqual([1, true]);
    for (const { id, headers, body } of [...bot.received, ...tester.received]) {
      const signature = createHmac('sha256', key)
        .update(`${id}.${String(headers['webhook-timestamp'])}.${body}`)
        .digest('base64');
      expect(headers).toMatchObject({ 'idempotency-key': id, 'webhook-signature': `v1,${signature}` });
    }
    expect(filesContaining(place.world.home, key)).toEqual([]);
  });

  it.each([
    ['has 5% errors', { word: 'faulty', errorRate: 0.05 }, usualPrompt, 'errors'],
    ['only has another prompt', { word: 'second' }, anxiousPrompt, 'decisions'],
  ])(
    'a candidate that %s is taken back by itself, and not tried again',
    async (what, behaviour, prompt, metric) => {
      const { write, run, load, view } = place;
      const stable = (await view()).release;
      await write(judged, behaviour, prompt);
      const traffic = load(behaviour.word);
      const begun = systemClock.monotonic();
      const { stdout, stderr } = await run(1, 'deploy', 'agent');
      const took = systemClock.monotonic() - begun;
      const { answered, lost } = await traffic.stop();
      const exposed = /[\d,]+(?= candidate (?:requests|users))/.exec((await view()).failure?.evidence[0] ?? '')?.[0];
      console.log(
        `A candidate that ${what} was taken back ${(took / 1_000).toFixed(1)} s after \`deploy\`; ${exposed} of ${answered} users met it`,
      );
      expect(lost).toEqual([]);
      expect(stdout + stderr).toMatch(new RegExp(`${metric} .*got worse than is tolerated: .*x of stable \\(9\\d.*%, always valid\\)`));
      expect(await view()).toMatchObject({
        release: stable,
        failure: { evidence: expect.arrayContaining([expect.stringContaining(metric)]) },
      });
      expect((await run(1, 'deploy', 'agent')).stderr).toContain('is not tried again');
    },
    60_000,
  );

  it('a candidate is held while a source of evidence is away, goes on by itself, and is taken back when the source speaks against it', async () => {
    const { write, run, load, view, world } = place;
    const stable = (await view()).release;
    const evals = { status: 503, score: 0.9, seen: new Set<string>() };
    const server = await answering((request, response) => {
      evals.seen.add(`${request.url} ${request.headers.authorization}`);
      response.writeHead(evals.status).end(JSON.stringify({ score: evals.score }));
    });
    const http = `http: { url: "${server.url}/of/$release", value: /score, authorization: "Bearer \${secret.evals}" }`;
    const asked = `metrics: [{ name: evals, ${http}, at_least: 0.8, interval: 1s, failures: 0, errors: 0 }, { name: agents, command: [test, -f, agent.js] }]`;
    const counted = 'counts: [{ name: escalated, attribute: decision, value: escalate, direction: must_not_rise, tolerate: 1.5x }]';
    const judgement = `analysis: { error_rate: { at_most: 5%, negligible: 3% }, ${counted}, ${asked}, min_requests: 50 }`;
    const steps = 'steps: [{ weight: 50, analysis: pass, within: 5m }, { weight: 60, for: 60s }]';
    const secret = 'secret: { name: evals, value: { generated: { length: 32 } } }';
    await write(`{ strategy: canary, affinity: { cookie: session }, ${steps}, ${judgement} }\n${secret}`, { word: 'fourth' });
    const traffic = load('fourth', 2);
    const deploy = start(world, 'deploy', 'agent');
    let said = '';
    deploy.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const left = once(deploy, 'close');
    try {
      const held = await until('the candidate to be held', async () => (await view()).rollout?.paused?.reason);
      expect(held).toBe('evals could not be measured once: it answered with status 503');
      evals.status = 200;
      const { rollout } = await place.reaches(60);
      const { stdout } = await run(0, 'rollout', 'status', 'agent');
      expect(stdout).toMatch(/errors of \S+ to \S+ of requests, at most 5% allowed \(98\.3%, always valid\)/);
      expect(stdout).toMatch(/escalated .* of stable \(98\.3%, always valid\)/);
      expect(stdout).toMatch(/evals 0\.9, at least 0\.8: pass \(http, \d+ passed, 0 failed, \d+ in error\)/);
      expect(stdout).toMatch(/agents: pass \(command, \d+ passed, 0 failed\)/);
      expect(rollout?.findings?.map(({ name, source }) => `${name} ${source}`)).toEqual([
        'errors gateway',
        'errors gateway',
        'escalated gateway',
        'evals http',
        'agents command',
      ]);
      evals.score = 0.3;
      expect(await left).toEqual([1, null]);
      expect(said).toMatch(/evals failed once: .*evals 0\.3, at least 0\.8: fail \(http, \d+ passed, 1 failed, \d+ in error\)/);
      expect((await view()).release).toBe(stable);
      expect([...evals.seen]).toEqual([expect.stringMatching(new RegExp(`^/of/${rollout?.release} Bearer \\S{32}$`))]);
      expect((await traffic.stop()).lost).toEqual([]);
    } finally {
      await traffic.stop();
      await server.close();
    }
  }, 120_000);

  it('a candidate whose answers to copies fail is taken back before a single user has met it', async () => {
    const { write, run, load, view } = place;
    const stable = (await view()).release;
    await write(copying, { word: 'shadow', errorRate: 0.05 });
    const traffic = load('shadow');
    const { stdout, stderr } = await run(1, 'deploy', 'agent');
    const { answered, exposed, lost } = await traffic.stop();
    expect([exposed, lost]).toEqual([0, []]);
    // Taken back in the very pass in which the stage came into force, nobody may ever see it in force.
    expect(stdout + stderr).toMatch(/copies (of )?100 %/);
    expect(stdout + stderr).toMatch(/among copies errors got worse than is tolerated: errors .*x of stable \(97\.5%, always valid\)/);
    const { release, failure, weights } = await view();
    expect([release, weights.filter(({ percent }) => percent > 0)]).toMatchObject([stable, [{ release: stable, percent: 100 }]]);
    const copies = /[\d,]+(?= copied requests)/.exec(failure?.evidence[0] ?? '')?.[0];
    console.log(`A candidate with 5% errors was taken back by ${copies} copies; 0 of ${answered} users met it`);
  }, 60_000);

  it('blue/green switches once and returns at once, without losing a request', async () => {
    const { write, run, load, view } = place;
    const before = (await view()).release;
    await write(blueGreen, { word: 'third' });
    const traffic = load('third');
    await run(0, 'deploy', 'agent');
    expect(await view()).toMatchObject({ previous: { release: before } });
    const started = new Set((await view()).instances.map(({ id }) => id));
    await run(0, 'rollout', 'rollback', 'agent');
    await until('the return', async () => (await view()).release === before && (await view()).rollout === undefined);
    expect((await view()).instances.every(({ id }) => started.has(id))).toBe(true);
    expect((await traffic.stop()).lost).toEqual([]);
  }, 60_000);

  it('auto says why, a newer release supersedes the candidate through the command, and one variable is one line of a plan', async () => {
    const { write, run, reaches, view, world } = place;
    const before = (await view()).release;
    const deployed = () => {
      const process = start(world, 'deploy', 'agent');
      let said = '';
      for (const stream of [process.stdout, process.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
      return once(process, 'close').then(([code]) => ({ code: code as number, said }));
    };
    await write(auto, { word: 'fourth' }, 'Answer the customer kindly.');
    const because = 'same version, code changed, prompt changed: canary 20';
    const first = deployed();
    const { candidate: fourth, rollout } = await reaches(20);
    expect(rollout?.because).toBe(because);
    expect((await run(0, 'deploy', 'agent')).stdout).toContain('No changes');

    await write(auto, { word: 'fifth' }, 'Answer the customer briefly.');
    const second = deployed();
    const { code, said } = await first;
    expect(code).toBe(1);
    expect(said).toContain(`rollout, chosen: ${because}\n          20 % until promoted`);
    expect(said).toContain('was superseded by a later change');
    const fifth = await until('the fifth to have its share', async () => {
      const seen = await reaches(20);
      return seen.candidate !== fourth && seen.release === before && seen;
    });
    await run(0, 'rollout', 'promote', 'agent', '--from', '1');
    expect(await second).toMatchObject({ code: 0 });
    expect((await view()).release).toBe(fifth.candidate);
    const records = (await (await controlPlane(world)).get('/v1/environments/default/services/agent/rollouts')) as object[];
    expect(records.slice(0, 2)).toMatchObject([
      { outcome: 'completed', because },
      { outcome: 'superseded', release: fourth },
    ]);

    const { items } = (await (await controlPlane(world)).get('/v1/events?limit=1000')) as { items: { message: string }[] };
    expect(items.map(({ message }) => message)).toContain(`agent: ${fourth} is being rolled out: ${because}`);

    const { stdout } = await run(0, 'deploy', 'agent', '--env', 'LEVEL=debug');
    expect(stdout).toContain('update in place (env.LEVEL changed)');
    expect(stdout).toContain('rollout, chosen: same version, LEVEL changed, low risk: rolling');
    expect((await run(2, 'deploy', 'agent', '--source', '.', '--dry-run')).stdout).toContain('content of source changed');
  }, 60_000);

  // Its users take a quarter of a minute to come: by `npm run prove:rollouts`.
  it.runIf(process.env['SLUICE_PROVE'] === 'rollouts')(
    'of three arms the one that does harm is withdrawn, the better one wins, and promoted it is the one release in use',
    async () => {
      const { write, run, view, ask, load, world } = place;
      const users = Array.from({ length: 200 }, (_, index) => `visitor-${index}`);
      const whoSees = () => Promise.all(users.map((user) => ask(user).then((answer) => answer.replace(/^500 .*"word":"(\w+)".*$/, '$1'))));
      await write(experimenting, { word: 'plain' });
      const traffic = load('warm');
      const deploy = start(world, 'deploy', 'agent', '--reason', 'which tone resolves more');
      const left = once(deploy, 'close');
      const experimentOf = async () => (await view()).rollout?.experiment;
      await until('all arms have users', async () => (await experimentOf())?.arms.every(({ units }) => units > 0));
      process.kill((await controlPlane(world)).pid, 'SIGKILL');
      await run(0, 'status');
      const withdrawn = await until('terse is withdrawn', async () => {
        const arms = (await experimentOf())?.arms;
        return arms?.find(({ name }) => name === 'terse')?.withdrawn;
      });
      expect(withdrawn).toMatch(/errors got worse than is tolerated/);
      const seen = await whoSees();
      const { outcome, winner, arms } = await until('the experiment has ended', async () => {
        const found = await experimentOf();
        return found?.outcome !== undefined && found;
      });
      expect([outcome, winner, arms.map(({ weight }) => weight)]).toEqual(['winner', 'warm', [20, 20, 0]]);
      // Whoever was in an arm is still in it, and nobody has come to another.
      expect(new Set(seen).size).toBe(3);
      expect(await whoSees()).toEqual(seen);
      const { stdout } = await run(0, 'rollout', 'status', 'agent');
      console.log(stdout);
      expect(stdout).toMatch(/warm +r-\w+ +20 % +1 +\d+ +\d\d\.\d % +[\d.]+x to [\d.]+x, better/);
      expect(stdout).toMatch(/terse was withdrawn: errors got worse/);
      await run(1, 'rollout', 'promote', 'agent', '--arm', 'terse');
      await run(0, 'rollout', 'promote', 'agent', '--arm', 'warm');
      const warm = arms.find(({ name }) => name === 'warm')?.release;
      await until('warm in use', async () => (await view()).rollout === undefined && (await view()).release === warm);
      expect(new Set(await whoSees())).toEqual(new Set(['warm']));
      expect((await traffic.stop()).lost).toEqual([]);
      // Its command was of the control plane that was killed.
      await left;
      const [latest] = JSON.parse((await run(0, 'rollout', 'history', 'agent', '--json')).stdout) as unknown[];
      expect(latest).toMatchObject({ release: warm, outcome: 'completed', experiment: { outcome: 'winner', promoted: 'warm' } });
      // What is declared without the arm does not take its place again.
      expect((await run(0, 'deploy', 'agent')).stdout).toContain('the arm warm that was promoted');
      expect(await view()).toMatchObject({ release: warm });
      expect((await view()).rollout).toBeUndefined();
    },
    120_000,
  );
});
