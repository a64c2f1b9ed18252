import { describe, expect, it } from 'vitest';
import { addResource, controlPlaneFixture, type ControlPlaneFixture } from './testdata/control-plane-fixture.ts';

async function withFlag(): Promise<ControlPlaneFixture> {
  const fixture = await controlPlaneFixture();
  await addResource(fixture, 'flag', 'cite');
  const at = '2026-11-22T12:00:00.000Z';
  const definition = { variants: { on: true, off: false }, default: 'off', rules: [{ when: { plan: 'pro', seats: 5 }, serve: 'on' }] };
  const after = { id: 'flag-1', environment: 'default', name: 'cite', declared: {}, definition, createdAt: at, changedAt: at };
  await fixture.flagParts.documents.change('default', 'cite', () => ({ after, change: { action: 'applied', by: 'apply' } }));
  return fixture;
}

describe('flag', () => {
  it('set serves a variant to all or to a share, and --clear lets the stack decide again', async () => {
    const fixture = await withFlag();
    expect(await fixture.sluice('flag', 'set', 'cite', 'on')).toMatchObject({
      code: 0,
      stdout: 'default/flag/cite serves on to everybody.\n',
    });
    expect((await fixture.sluice('flag', 'set', 'cite', 'on', '--percent', '12.5', '--by', 'team')).stdout).toBe(
      'default/flag/cite serves on to 12.5 % by team, one rule, else off to the others.\n',
    );
    const cleared = await fixture.sluice('flag', 'set', 'cite', '--clear', '--json');
    expect(JSON.parse(cleared.stdout)).toMatchObject({ name: 'cite', serves: 'one rule, else off' });
    expect(await fixture.sluice('flag', 'set', 'cite', '--clear')).toMatchObject({ code: 1 });
  });

  it.each([
    [['flag', 'set', 'cite'], 64, 'Name the variant to serve, or pass --clear.'],
    [['flag', 'set', 'cite', 'on', '--clear'], 64, '--clear goes with the name of the flag alone.'],
    [['flag', 'set', 'cite', 'on', '--by', 'team'], 64, '--by goes with --percent.'],
    [['flag', 'set', 'cite', 'on', '--percent', '101'], 64, "'101' is not a share"],
    [['flag', 'set', 'cite', 'on', '--percent', '1.234'], 64, "'1.234' is not a share"],
    [['flag', 'set', 'cite', 'blue'], 1, 'It has on, off'],
    [['flag', 'eval', 'cite', '--attribute', 'plan'], 64, 'See `sluice help flag eval`'],
    [['flag', 'kill', 'cit'], 1, "There is no flag 'cit', but cite."],
  ] as const)('%j says what is wrong', async (line, code, words) => {
    const fixture = await withFlag();
    const outcome = await fixture.sluice(...line);
    expect([outcome.code, outcome.stdout]).toEqual([code, '']);
    expect(outcome.stderr).toContain(words);
  });

  it('kill asks nothing, and history and the audit log have who and why', async () => {
    const fixture = await withFlag();
    expect(await fixture.sluice('flag', 'kill', 'cite', '--reason', 'wrong sources')).toMatchObject({
      code: 0,
      stdout: 'default/flag/cite serves off to everybody (killed).\n',
      stderr: expect.stringContaining('`sluice flag set cite --clear -e default`'),
    });
    expect((await fixture.sluice('flag', 'history', 'cite')).stdout).toMatch(
      /TIME +WHAT +BY +SERVES +WHY\n.* killed +admin +off to everybody \(killed\) +wrong sources\n.* applied +apply +one rule, else off/,
    );
    expect((await fixture.audit.read(0, 9)).map(({ action, reason }) => [action, reason])).toEqual([['flag.kill', 'wrong sources']]);
    const list = (await fixture.sluice('flag', 'list')).stdout;
    expect(list).toMatch(/default +cite +off to everybody \(killed\) +admin \(wrong sources\) +0 .*never/);
    expect((await fixture.sluice('flag', 'list', '--stale')).stderr).toContain('No flag looks stale.');
  });

  it('set and kill with --dry-run say what would change and for whom, and change nothing', async () => {
    const fixture = await withFlag();
    expect(await fixture.sluice('flag', 'set', 'cite', 'on', '--percent', '25', '--dry-run')).toMatchObject({
      code: 2,
      stdout: `default/flag/cite would serve on to 25 % by user, one rule, else off to the others; now: one rule, else off.
  25 % of the users, told apart by user, get on (true); now: what the rules of the stack say, else off (false)
  the other 75 % get what the rules of the stack say, else off (false)
  nobody has asked for it yet
Nothing was changed.
`,
    });
    await fixture.sluice('flag', 'set', 'cite', 'on', '--percent', '25');
    const line = async (...words: string[]) => (await fixture.sluice('flag', ...words, '--dry-run')).stdout.split('\n')[1];
    expect(await line('set', 'cite', 'on', '--percent', '40')).toContain('get on (true); those 25 % who have it keep it');
    expect(await line('set', 'cite', 'on', '--percent', '10')).toContain('now: 25 %, of whom the rest lose it');
    expect(await line('kill', 'cite')).toContain('everybody gets off (false); now: on (true) for 25 % of them by user, what the rules');
    const same = await fixture.sluice('flag', 'set', 'cite', 'on', '--percent', '25', '--dry-run', '--json');
    expect([same.code, JSON.parse(same.stdout)]).toMatchObject([0, { change: 'set', changes: false, users: [] }]);
    const clear = await fixture.sluice('flag', 'set', 'cite', '--clear', '--dry-run', '--json');
    expect([clear.code, JSON.parse(clear.stdout)]).toMatchObject([2, { changes: true, to: 'one rule, else off' }]);
    expect((await fixture.sluice('flag', 'set', 'cite', 'blue', '--dry-run')).stderr).toContain('It has on, off');
    expect([
      (await fixture.sluice('flag', 'history', 'cite', '--json')).stdout.match(/"action"/g)?.length,
      await fixture.audit.last(),
    ]).toEqual([2, 1]);
  });

  it('eval says what a user is served and why, and counts nowhere', async () => {
    const fixture = await withFlag();
    const pro = ['--attribute', 'plan=pro', '--attribute', 'seats=5'];
    expect((await fixture.sluice('flag', 'eval', 'cite', '--user', 'ann', ...pro)).stdout).toBe('true (on): rule 1 holds.\n');
    expect((await fixture.sluice('flag', 'eval', 'cite', '--attribute', 'plan=pro', '--attribute', 'seats="5"')).stdout).toBe(
      'false (off): no rule holds.\n',
    );
    expect(JSON.parse((await fixture.sluice('flag', 'eval', 'cite', '--json')).stdout)).toMatchObject({
      key: 'cite',
      value: false,
      matched: 'default',
    });
    await fixture.sluice('flag', 'set', 'cite', 'on', '--percent', '50');
    expect(await fixture.sluice('flag', 'eval', 'cite')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/TARGETING_KEY_MISSING.*--user/s),
    });
    expect(JSON.parse((await fixture.sluice('flag', 'list', '--json')).stdout)).toMatchObject([{ usage: { evaluations: 0, uses: [] } }]);
  });

  it('is asked for with a key that is bound to an environment', async () => {
    const fixture = await withFlag();
    const made = JSON.parse((await fixture.sluice('key', 'create', 'web', '--role', 'evaluator', '-e', 'default', '--json')).stdout) as {
      details: unknown;
    };
    expect(made.details).toMatchObject({ role: 'evaluator', environment: 'default' });
    expect((await fixture.sluice('key', 'create', 'web', '--role', 'viewer', '-e', 'default')).stderr).toContain(
      'only a key with the role evaluator',
    );
    expect((await fixture.sluice('key', 'list')).stdout).toMatch(/web +evaluator +default +active/);
  });
});
