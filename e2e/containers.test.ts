import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../src/testing/conditions.ts';
import { describeWithDocker } from '../src/testing/with-docker.ts';
import { send, startLoad } from './load.ts';
import { controlPlane, expectCode, sluice, type World } from './sluice.ts';

const host = 'agent.localhost';

const stack = (version: string): string => `
service:
  name: agent
  image: agent:stable
  version: ${version}
  replicas: 2
  resources: { memory: 64Mi }
  policy: policy.txt
  health: { path: /, interval: 100ms }
  drain: 2s
  expose: { host: ${host} }
  rollout: { strategy: canary, steps: [{ weight: 50, for: 1s }] }
`;

interface Status {
  readonly environments: readonly { readonly name: string; readonly url?: string }[];
}

describeWithDocker('a service that is a container image', ({ engine, before, after }) => {
  let world: World;
  let url: string;

  /** An image that answers with a word, and says it when it starts. */
  const build = (reference: string, word: string): Promise<void> => {
    const script = `#!/bin/sh\necho I am ${word}\nexec busybox httpd -f -p "$HOST:$PORT" -h /www\n`;
    return engine().image(reference, { 'www/index.html': word, 'start.sh': script }, ['CMD ["sh", "/start.sh"]']);
  };
  const word = async (): Promise<string> => (await send(url, undefined, { host })).text;
  const wordsOf = async (...line: string[]): Promise<string> => (await expectCode(0, world, ...line)).stdout;
  const containers = async (): Promise<number> => (await engine().docker('ps', '-q')).split('\n').filter(Boolean).length;

  before(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-containers-'));
    const environment = { DOCKER_HOST: engine().address };
    world = { directory, home: join(directory, '.sluice'), environment };
    await build('agent:stable', 'one');
    await build('agent:next', 'two');
    await writeFile(join(directory, 'policy.txt'), 'be kind');
    await writeFile(join(directory, 'stack.yaml'), stack('1.0.0'));
    await expectCode(0, world, 'apply', '--yes');
    const status = (await (await controlPlane(world)).get('/v1/status')) as Status;
    url = status.environments.find(({ name }) => name === 'default')?.url ?? '';
  });
  after(async () => {
    await sluice(world, 'down');
    await rm(world.directory, { recursive: true, force: true });
  });

  it('goes to another image and back under load, through a kill of the control plane, and loses no request', async () => {
    expect([await word(), await containers()]).toEqual(['one', 2]);
    const load = startLoad(url, { host, concurrency: 2, pauseMs: 15 });
    const deploying = sluice(world, 'deploy', 'agent', '--image', 'agent:next', '--yes');
    await until('both serve', async () => (await Promise.all([word(), word(), word(), word()])).includes('two'));
    process.kill((await controlPlane(world)).pid, 'SIGKILL');
    expect(await wordsOf('logs', 'agent')).toContain('I am one');
    await deploying;
    await until('the other image serves alone', async () => (await containers()) === 2 && (await word()) === 'two');
    const difference = await wordsOf('release', 'diff', 'agent');
    expect(difference).toMatch(/image: agent:stable \(sha256:[0-9a-f]{12}\) to agent:next \(sha256:[0-9a-f]{12}\)/);
    await expectCode(0, world, 'rollout', 'rollback', 'agent');
    await until('the first image serves again', async () => (await containers()) === 2 && (await word()) === 'one');
    const { answered, failures } = await load.stop();
    expect([failures, answered > 100]).toEqual([[], true]);
  });

  it('says what a tag stands for by now, keeps the images of releases, and removes everything with the service', async () => {
    await writeFile(join(world.directory, 'stack.yaml'), stack('1.1.0'));
    await build('agent:stable', 'three');
    const planned = /image agent:stable is another: sha256:[0-9a-f]{12} to sha256:[0-9a-f]{12}/;
    expect(await wordsOf('apply', '--yes')).toMatch(planned);
    expect(await word()).toBe('three');
    await engine().docker('image', 'prune', '--force');
    const tags = async (): Promise<readonly string[]> =>
      (await engine().docker('images', '--format', '{{.Repository}}')).split('\n').filter((name) => name.startsWith('sluice/'));
    expect((await tags()).length).toBe(3);
    await expectCode(0, world, 'destroy', '--yes');
    expect([await tags(), await engine().docker('ps', '-aq')]).toEqual([[], '']);
  });
});
