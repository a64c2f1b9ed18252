import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../effects/clock.ts';
import { identify, isAlive } from '../../effects/processes.ts';
import { systemRandom } from '../../effects/random.ts';
import { until } from '../../testing/conditions.ts';
import type { DockerEngine } from '../../testing/docker-engine.ts';
import { startImageRegistry } from '../../testing/image-registry.ts';
import { describeWithDocker } from '../../testing/with-docker.ts';
import { describeWorkloadsContract } from '../workloads-contract.ts';
import type { InstanceExit, InstanceSpec, Workloads } from '../workloads.ts';
import { createDockerImages, homeLabel } from './docker-images.ts';
import { createDockerWorkloads } from './docker-workloads.ts';
import { createEngine } from './engine.ts';

const serve = 'exec busybox httpd -f -p "$HOST:$PORT" -h /www';
const behaviours: Readonly<Record<string, string>> = {
  serve,
  exit: 'echo about to end; exit 3',
  deaf: `trap "" TERM; ${serve}`,
  talk: `i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done; touch /tmp/said; ${serve}`,
  hungry: 'busybox tail /dev/zero',
};

const http = { type: 'http', path: '/', timeoutMs: 2_000 } as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-containers-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const newHome = (): Promise<string> => mkdtemp(join(folder, 'home-'));

describeWithDocker('containers', ({ engine: started, before }) => {
  let docker: DockerEngine;
  let digest: `sha256:${string}`;
  // Where there is no engine, nothing is asked of it.
  let environment: Readonly<Record<string, string>> = { DOCKER_HOST: 'unix:///nowhere' };
  before(async () => {
    docker = started();
    await docker.image('agent:1', { 'www/index.html': 'one\n' });
    digest = (await docker.docker('image', 'inspect', '--format', '{{.Id}}', 'agent:1')) as `sha256:${string}`;
    environment = { DOCKER_HOST: docker.address, DOCKER_CONFIG: folder };
  });

  const over = (home: string): Workloads => {
    const engine = createEngine(environment);
    const images = createDockerImages({ engine, home, environment });
    return createDockerWorkloads({ home, engine, images, clock: systemClock, random: systemRandom });
  };
  const specFor = (id: string, behaviour: string, extra: Partial<InstanceSpec> = {}): InstanceSpec => ({
    id,
    service: 'default/service/agent',
    release: 'r-1',
    command: ['sh', '-c', behaviours[behaviour] ?? ''],
    directory: folder,
    environment: {},
    image: { reference: 'agent:1', digest, files: [] },
    ...extra,
  });

  describeWorkloadsContract('docker', async () => {
    const workloads = over(await newHome());
    return {
      workloads,
      spec: specFor,
      until: async (what, condition) => void (await until(what, condition)),
      settle: (promise) => promise,
      dispose: async () => undefined,
    };
  });

  it('has few rights, its limits, the files it is given and the variables it is given, and its record holds none of them', async () => {
    const home = await newHome();
    const workloads = over(home);
    const policy = join(folder, 'policy.yaml');
    await writeFile(policy, 'be kind');
    const extra = {
      environment: { KEY: 'canary-secret-value', SLUICE_POLICY: policy },
      limits: { cpuMillis: 250, memoryBytes: 64 * 1024 * 1024 },
      image: { reference: 'agent:1', digest, files: [policy] },
    };
    const { host, port } = await workloads.start(specFor('own', 'serve', extra));
    await until('it is ready', async () => (await workloads.probe('own', http)).ready);
    expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe('one\n');
    const inside = (script: string, timeoutMs = 5_000) =>
      workloads.probe('own', { type: 'command', command: ['sh', '-c', script], timeoutMs });
    const isSo =
      '[ "$KEY" = canary-secret-value ] && [ "$(busybox cat $SLUICE_POLICY)" = "be kind" ] && ! echo x 2>/dev/null >>$SLUICE_POLICY';
    const hasNoRights = 'busybox grep -q "CapBnd:.0000000000000000" /proc/self/status && busybox grep -q "NoNewPrivs:.1" /proc/self/status';
    expect([await inside(isSo), await inside(hasNoRights)]).toEqual([{ ready: true }, { ready: true }]);
    expect(await inside('exit 4')).toEqual({ ready: false, reason: "'sh' ended with 4" });
    expect(await inside('busybox sleep 60', 100)).toEqual({ ready: false, reason: "'sh' did not end within 100 ms" });
    const limits = await docker.docker(
      'inspect',
      '--format',
      '{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}}',
      `sluice-${await labelOf()}-own`,
    );
    expect(limits).toBe('250000000 67108864');
    const record = join(home, 'containers', 'own.json');
    expect([(await stat(record)).mode & 0o777, (await readFile(record, 'utf8')).includes('canary')]).toEqual([0o600, false]);
    await workloads.stop('own', 0);
    await workloads.forget('own');

    async function labelOf(): Promise<string> {
      return docker.docker('ps', '--format', '{{.Label "dev.sluice.home"}}', '--filter', 'label=dev.sluice.instance=own');
    }
  });

  it('tells what an image without such a program has ended with, and refuses one that the engine does not have', async () => {
    const workloads = over(await newHome());
    const told: InstanceExit[] = [];
    const unsubscribe = workloads.onExit((_, exit) => told.push(exit));
    const { logFile } = await workloads.start(specFor('missing', '', { command: ['no-such-program'] }));
    await until('its end is told', () => told.length > 0);
    expect([told[0]?.code, await readFile(logFile, 'utf8')]).toEqual([127, expect.stringContaining('no-such-program')]);
    unsubscribe();
    await workloads.forget('missing');
    const image = { reference: 'agent:1', digest: `sha256:${'0'.repeat(64)}`, files: [] } as const;
    await expect(workloads.start(specFor('gone', 'serve', { image }))).rejects.toMatchObject({ code: 'image_gone' });
    expect([await workloads.inspect('gone'), await workloads.list()]).toEqual([{ status: 'gone' }, []]);
  });

  it('fetches an image from its registry with the login there is, sees a tag that moved, and keeps what releases run', async () => {
    const registry = await startImageRegistry({ name: 'robot', password: 'canary-registry-password' });
    const home = await newHome();
    const auth = Buffer.from('robot:canary-registry-password').toString('base64');
    const login = (given: string): Promise<void> =>
      writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth: given } } }));
    const images = createDockerImages({ engine: createEngine(environment), home, environment });
    const reference = `${registry.host}/team/agent:2`;
    const first = registry.put('team/agent', '2', await docker.archive({ 'www/index.html': 'first' }), ['sh', '-c', serve]);
    await login(Buffer.from('robot:wrong').toString('base64'));
    const refused = images.resolve(reference);
    await expect(refused).rejects.toMatchObject({ code: 'image_not_found', message: expect.not.stringContaining('wrong') });
    await login(auth);
    expect([await images.resolve(reference), await docker.docker('images', '-q', reference)]).toEqual([first, '']);
    const told: string[] = [];
    const kept = { environment: 'default', service: 'agent' };
    const image = { reference, digest: first as `sha256:${string}`, files: [] };
    await images.keep({ ...kept, release: 'r-1' }, image, (line) => told.push(line));
    expect(told).toContain(`fetching the image ${reference}: 1 of 1 layers`);
    const workloads = over(home);
    await workloads.start(specFor('fetched', '', { command: [], image }));
    await until('the command of the image serves', async () => (await workloads.probe('fetched', http)).ready);
    await workloads.stop('fetched', 0);
    await workloads.forget('fetched');
    const second = registry.put('team/agent', '2', await docker.archive({ 'www/index.html': 'second' }), ['sh', '-c', serve]);
    expect(await images.resolve(reference)).toBe(second);
    await registry.close();
    // Its registry away, what the engine has is meant.
    expect(await images.resolve(`${registry.host}/team/agent@${first}`)).toBe(first);
    await docker.docker('image', 'prune', '--force');
    expect(await images.resolve(`${registry.host}/team/agent@${first}`)).toBe(first);
    await images.keepOnly(kept, []);
    await expect(images.resolve(reference)).rejects.toMatchObject({ code: 'image_not_found' });
  });

  it('tells that memory was what it ended of', async () => {
    const workloads = over(await newHome());
    const told: InstanceExit[] = [];
    const unsubscribe = workloads.onExit((_, exit) => told.push(exit));
    // An engine that is busy now and then misses which it was, and says so of none: one of three is enough.
    for (let end = 1; end <= 3 && !told.some(({ outOfMemory }) => outOfMemory); end += 1) {
      await workloads.start(specFor('hungry', 'hungry', { limits: { memoryBytes: 16 * 1024 * 1024 } }));
      await until('its end is told', () => told.length === end);
    }
    expect([told.at(-1)?.outOfMemory, [...new Set(told.map(({ code }) => code))]]).toEqual([true, [137]]);
    unsubscribe();
    await workloads.forget('hungry');
  });

  it('writes each line once, whoever follows it, and is found by whoever comes later, also without a record', async () => {
    const home = await newHome();
    const [first, told] = [over(home), [] as string[]];
    const unsubscribe = first.onExit(() => undefined);
    const started = await first.start(specFor('talkative', 'talk'));
    const lines = async (): Promise<readonly string[]> =>
      (await readFile(started.logFile, 'utf8').catch(() => '')).split('\n').filter(Boolean);
    await until('it is followed', async () => (await lines()).length > 10);
    unsubscribe();
    const heir = over(home);
    const unsubscribeHeir = heir.onExit((id) => told.push(id));
    expect(await heir.inspect('talkative')).toEqual({ status: 'running', instance: started });
    await until('all is written', async () => (await lines()).length >= 200);
    expect(await lines()).toEqual(Array.from({ length: 200 }, (_, number) => `line ${number}`));
    expect((await stat(started.logFile)).mode & 0o777).toBe(0o600);
    await rm(join(home, 'containers', 'talkative.json'));
    expect(await over(home).list()).toEqual([started]);
    // The very same start again, by one who knows nothing of it yet.
    expect(await over(home).start(specFor('talkative', 'talk'))).toEqual(started);
    process.kill(started.pid, 'SIGKILL');
    await until('its end is told', () => told.length > 0);
    expect(await heir.inspect('talkative')).toMatchObject({ status: 'exited', exit: { code: 137 } });
    unsubscribeHeir();
    await heir.forget('talkative');
    expect(await docker.docker('ps', '-aq', '--filter', 'label=dev.sluice.instance=talkative')).toBe('');
  });

  it('shares the engine with other homes: each sees, ends and removes what is its own, whatever labels say', async () => {
    const homes = [await newHome(), await newHome()] as const;
    const [mine, theirs] = [over(homes[0]), over(homes[1])];
    const started = await Promise.all([mine.start(specFor('same', 'serve')), theirs.start(specFor('same', 'serve'))]);
    await theirs.start(specFor('theirs', 'serve'));
    await rm(join(homes[0], 'containers', 'same.json'));
    // An image may be labelled as if it were what a home has started; its containers are not.
    const logFile = join(folder, 'precious.txt');
    await writeFile(logFile, 'not a log');
    const forged = {
      home: homeLabel(homes[0]),
      instance: 'forged',
      service: 'default/service/agent',
      release: 'r-1',
      host: '127.0.0.1',
      port: '1',
    };
    const lines = Object.entries({ ...forged, 'started-at': 'now', 'log-file': logFile }).map(
      ([name, value]) => `LABEL dev.sluice.${name}=${value}`,
    );
    await docker.image('forged:1', {}, lines);
    const foreign = await docker.docker('run', '-d', '--network', 'host', 'forged:1', '/bin/busybox', 'sleep', '600');
    const heir = over(homes[0]);
    const unsubscribe = heir.onExit(() => undefined);
    expect((await heir.list()).map(({ id, pid }) => [id, pid])).toEqual([['same', started[0].pid]]);
    await heir.stop('forged', 0);
    await heir.forget('forged');
    const images = homes.map((home) => createDockerImages({ engine: createEngine(environment), home, environment }));
    const image = { reference: 'agent:1', digest, files: [] };
    const service = { environment: 'default', service: 'agent' };
    for (const each of images) await each.keep({ ...service, release: 'r-1' }, image, () => undefined);
    const kept = async (): Promise<number> =>
      (await docker.docker('images', '-q', 'sluice/*/default/agent')).split('\n').filter(Boolean).length;
    expect(await kept()).toBe(2);
    await images[0]?.keepOnly(service, []);
    expect(await kept()).toBe(1);
    await heir.stop('same', 0);
    await heir.forget('same');
    expect((await theirs.list()).map(({ id }) => id)).toEqual(['same', 'theirs']);
    for (const id of ['same', 'theirs']) expect((await theirs.probe(id, http)).ready).toBe(true);
    expect(await docker.docker('inspect', '--format', '{{.State.Running}}', foreign)).toBe('true');
    expect(await readFile(logFile, 'utf8')).toBe('not a log');
    unsubscribe();
    await docker.docker('rm', '-f', foreign);
    for (const { id } of await theirs.list()) {
      await theirs.stop(id, 0);
      await theirs.forget(id);
    }
    await images[1]?.keepOnly(service, []);
  });

  it('says of what another engine has started that this one cannot end it', async () => {
    const home = await newHome();
    await over(home).start(specFor('elsewhere', 'serve'));
    const file = join(home, 'containers', 'elsewhere.json');
    const record = JSON.parse(await readFile(file, 'utf8')) as { container: string };
    await writeFile(file, JSON.stringify({ ...record, container: '0'.repeat(64) }));
    const workloads = over(home);
    await expect(workloads.stop('elsewhere', 0)).rejects.toMatchObject({
      message: expect.stringContaining('another engine has started it'),
    });
    expect(await workloads.inspect('elsewhere')).toMatchObject({ status: 'running' });
    await docker.docker('rm', '-f', record.container);
    await workloads.forget('elsewhere');
  });

  it('goes on while the engine is away, and ends when the engine ends it', async () => {
    const workloads = over(await newHome());
    const told: string[] = [];
    const unsubscribe = workloads.onExit((id) => told.push(id));
    const instance = await workloads.start(specFor('lasting', 'serve'));
    await docker.kill();
    expect(await workloads.inspect('lasting')).toEqual({ status: 'running', instance });
    await until('it serves without the engine', async () => (await workloads.probe('lasting', http)).ready);
    await expect(workloads.stop('lasting', 100)).rejects.toMatchObject({ code: 'engine_unreachable', retry: 'retry' });
    await docker.start({ liveRestore: true });
    expect([await workloads.inspect('lasting'), told]).toEqual([{ status: 'running', instance }, []]);
    const second = workloads.start(specFor('second', 'serve'));
    await second;
    await docker.kill();
    await docker.start();
    await until('the engine has ended both', () => told.length === 2);
    expect([isAlive(instance), identify((await second).pid)]).toEqual([false, undefined]);
    expect(await workloads.inspect('lasting')).toMatchObject({ status: 'exited' });
    unsubscribe();
    for (const { id } of await workloads.list()) await workloads.forget(id);
  });
});
