import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Digest, digestJson } from '../digest/digest.ts';
import { type Problem, sluiceError } from '../errors/sluice-error.ts';
import { loadStack } from '../stack/load.ts';
import { checkArms } from './experiment/check-experiment.ts';
import { checkService } from './service-check.ts';

let root: string;
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'sluice-check-')));
  await mkdir(join(root, 'agent'));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

const resolveImage = async (reference: string): Promise<Digest> => {
  if (reference === 'missing:1') throw sluiceError('image_not_found', { reference, reason: 'manifest unknown' });
  return digestJson(reference);
};

async function check(...lines: readonly string[]): Promise<readonly Problem[]> {
  const block = ['name: agent', 'source: agent', 'command: [node, a.js]', 'version: 1.0.0', ...lines].map((line) => `  ${line}`);
  await writeFile(join(root, 'stack.yaml'), `service:\n${block.join('\n')}\n`);
  const loaded = await loadStack(root);
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('\n'));
  return Promise.all(loaded.value.blocks.map((block) => checkService(block, loaded.value, resolveImage))).then((problems) =>
    problems.flat(),
  );
}

it('finds nothing wrong with what a rolling service may declare, defaults included', async () => {
  expect(await check()).toEqual([]);
  expect(await check('rollout: { strategy: rolling, max_surge: 2 }', 'resources: { cpu: 250m, memory: 64Mi }', 'env: { A: b }')).toEqual(
    [],
  );
  expect(await check('cache: { ttl: 30s }', 'limits: { concurrency: 4 }', 'outliers: {}', 'slow_start: 5s', 'retries: {}')).toEqual([]);
});

it.each([
  'rollout: { strategy: blue_green, keep_previous: 10m, smoke: { path: /selftest } }',
  'rollout: { strategy: auto, keep_previous: 10m, smoke: { path: /selftest }, steps: [{ weight: 5 }], analysis: {}, on_failure: hold }',
  'rollout: { strategy: canary, affinity: { cookie: session }, steps: [{ weight: 5, for: 10s }], analysis: { error_rate: {} }, on_failure: hold }',
])('finds nothing wrong with %s', async (line) => {
  expect(await check(line)).toEqual([]);
});

it.each([
  ['scaling: { min: 0, max: 4, targets: { queue_depth: 1 } }', 'scaling.min'],
  ['rollout: { on_failure: hold }', 'rollout.on_failure'],
])('refuses %s at its place, because it would be ignored', async (line, field) => {
  const [problem, ...others] = await check(line);
  expect(others).toEqual([]);
  expect(problem).toMatchObject({ severity: 'error', code: 'unsupported_field', message: expect.stringContaining(`'${field}'`) });
  expect(problem?.position).toMatchObject({ file: join(root, 'stack.yaml'), line: 6 });
});

it('refuses variables that Sluice sets itself', async () => {
  const problems = await check('env: { PORT: 80, SLUICE_TOKEN: mine, HOME: /tmp }');
  expect(problems.map(({ code, message }) => [code, /variable (\w+)/.exec(message)?.[1]])).toEqual([
    ['reserved_variable', 'PORT'],
    ['reserved_variable', 'SLUICE_TOKEN'],
  ]);
});

const experimenting = (arms: string) =>
  `rollout: { strategy: canary, affinity: { cookie: session }, steps: [{ weight: 5, for: 10s }, { weight: 50 }], analysis: { error_rate: {} }, experiment: { metric: { attribute: agent.outcome, value: resolved, goal: more }, for: 1h, arms: ${arms} } }`;

it('holds what an arm has instead to what holds for the service', async () => {
  const problems = await check(experimenting('{ warm: { env: { PORT: 80 } } }'));
  expect(problems.map(({ code, message }) => [code, /variable (\w+)/.exec(message)?.[1]])[0]).toEqual(['reserved_variable', 'PORT']);
  expect(problems[0]?.position).toMatchObject({ line: 6, column: expect.any(Number) });
});

it('refuses arms that are one and the same release', async () => {
  const line = experimenting('{ warm: { env: { TONE: warm } }, cordial: { env: { TONE: warm } } }');
  await check(line);
  const loaded = await loadStack(root);
  const [block] = loaded.ok ? loaded.value.blocks : [];
  if (!loaded.ok || !block) throw new Error('the stack is not what the test takes it for');
  expect(await checkArms(block, loaded.value, resolveImage)).toMatchObject([
    { code: 'experiment_arms_alike', message: expect.stringMatching(/warm and cordial/) },
  ]);
});
