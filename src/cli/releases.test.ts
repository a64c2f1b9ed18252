import { expect, it } from 'vitest';
import { knownDifference, knownRelease } from '../api/testdata/api-fixture.ts';
import { addResource, controlPlaneFixture } from './testdata/control-plane-fixture.ts';

const older = { ...knownRelease, id: 'r-aaaaaaaaaaaa', version: '1.0.0', state: 'kept' as const };
const failed = { ...knownRelease, id: 'r-bbbbbbbbbbbb', version: '1.2.0', state: 'failed' as const };

const twin = { ...knownRelease, id: 'r-012000000000', version: '0.9.0', state: 'kept' as const };

async function fixtureWithReleases() {
  const asked: unknown[] = [];
  const fixture = await controlPlaneFixture(() => ({
    releases: {
      list: () => Promise.resolve([failed, knownRelease, older, twin]),
      get: (_environment, _name, id) =>
        Promise.resolve({
          ...knownRelease,
          id,
          content: { command: ['node', 'a.js'], environment: { KEY: '${secret.key}' }, digests: { source: 'sha256:1' } },
          before: older.id,
          risk: knownDifference.risk,
          words: knownDifference.words,
        }),
      compare: (_environment, _name, ids) => {
        asked.push(ids);
        return Promise.resolve({ ...knownDifference, to: ids.to });
      },
    },
  }));
  await addResource(fixture, 'service', 'hello');
  return { fixture, asked };
}

it('lists releases, newest first', async () => {
  const { fixture } = await fixtureWithReleases();
  const { code, stdout } = await fixture.sluice('release', 'list', 'hello');
  expect(code).toBe(0);
  expect(stdout.split('\n').map((line) => line.split(/\s+/).slice(0, 3).join(' '))).toEqual([
    'RELEASE VERSION STATE',
    'r-bbbbbbbbbbbb 1.2.0 failed',
    'r-0123456789ab 1.1.0 stable',
    'r-aaaaaaaaaaaa 1.0.0 kept',
    'r-012000000000 0.9.0 kept',
    '',
  ]);
});

it('shows what a release is made of and what it changed, secrets by their references', async () => {
  const { fixture } = await fixtureWithReleases();
  const { stdout } = await fixture.sluice('release', 'show', 'hello', 'stable');
  expect(stdout).toContain('r-0123456789ab\n');
  expect(stdout).toMatch(/env KEY\s+\$\{secret\.key\}/);
  expect(stdout).toContain('What it changed from r-aaaaaaaaaaaa\n  prompt prompts/system.md: 1 of 3 words\n');
  expect(stdout).toContain('Risk medium\n  the prompts change: 1 of 3 words\n');
});

it('compares releases by word, by version and by id, prompts word by word, and lets no file steer the terminal', async () => {
  const { fixture, asked } = await fixtureWithReleases();
  const { stdout } = await fixture.sluice('release', 'diff', 'hello');
  expect(stdout).toContain('prompts/system.md\n  Be {+very +}kind.\n');
  expect(stdout).toContain('source/a.ts\n  @@ -0,0 +1,1 @@\n');
  expect(stdout).toContain('  ... 7 more lines\n');
  expect(stdout).not.toContain('\u001b');
  await fixture.sluice('release', 'diff', 'hello', '1.0.0', 'bbb');
  await fixture.sluice('release', 'diff', 'hello', 'stable');
  expect(asked).toEqual([
    { from: knownRelease.id, to: failed.id },
    { from: older.id, to: failed.id },
    { from: undefined, to: knownRelease.id },
  ]);
  expect(JSON.parse((await fixture.sluice('release', 'diff', 'hello', '--json')).stdout)).toMatchObject({ to: failed.id });
});

it('refuses the beginning of several ids, and a state that no one release has', async () => {
  const { fixture } = await fixtureWithReleases();
  const { code, stderr } = await fixture.sluice('release', 'show', 'hello', 'r-0');
  expect([code === 0, stderr]).toEqual([false, expect.stringContaining('r-0123456789ab, r-012000000000')]);
  expect((await fixture.sluice('release', 'show', 'hello', 'kept')).stderr).toContain("no release 'kept'");
});

it('says so when there is no such release', async () => {
  const { fixture } = await fixtureWithReleases();
  const { code, stderr } = await fixture.sluice('release', 'show', 'hello', '9.9.9');
  expect(code).not.toBe(0);
  expect(stderr).toContain("no release '9.9.9'");
});
