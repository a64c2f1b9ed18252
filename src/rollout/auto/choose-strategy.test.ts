import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sideBySideConflict } from '../../release/compatibility/side-by-side.ts';
import type { FileChange, ReleaseChange } from '../../release/difference/release-change.ts';
import { rollout as language } from '../../stack/kinds/service/rollout.ts';
import { capacityFor, goesByStages, stagesOf } from '../course.ts';
import { rolloutSettings } from '../rollout-settings.ts';
import { strategies } from '../strategies.ts';
import { choiceInWords } from './choice-in-words.ts';
import { chooseStrategy, type RolloutCase } from './choose-strategy.ts';
import { explicitRollout } from './explicit-rollout.ts';
import { roomToMove } from '../../stack/fields/allowance.ts';

const nothing: ReleaseChange = {
  version: { from: '1.0.0', to: '1.0.1', bump: 'patch' },
  files: [],
  prompts: [],
  environment: [],
  apiComparison: 'none',
  api: [],
  migrations: [],
};
const minor = { version: { from: '1.0.0', to: '1.1.0', bump: 'minor' } } as const;
const major = { version: { from: '1.9.0', to: '2.0.0', bump: 'major' } } as const;
const prompt: FileChange = { part: 'prompts', path: 'prompts/a.md', change: 'changed' };
const code = (added: number): FileChange => ({ part: 'source', path: 'source/a.ts', change: 'changed', lines: { added, removed: 0 } });
const breaking = { apiComparison: 'compared', api: [{ path: 'GET /a', breaking: true, what: 'the operation is removed' }] } as const;
const migration = (phase: 'expand' | 'migrate' | 'contract') => ({
  migrations: [{ name: `001_a.${phase}.sql`, change: 'added', phase } as const],
});

const auto = language.parse({ strategy: 'auto' });
const caseOf = (changed: Partial<ReleaseChange>, more: Partial<RolloutCase & { kind: 'change' }> = {}): RolloutCase => ({
  kind: 'change',
  change: { ...nothing, ...changed },
  isReturn: false,
  supersedesStages: false,
  replicas: 2,
  ...more,
});
const inWords = (given: RolloutCase, declared = auto): string => {
  const choice = chooseStrategy(given);
  return choiceInWords(choice, explicitRollout(declared, choice), declared);
};

describe('the strategy that is chosen', () => {
  it.each<[string, RolloutCase]>([
    ['first deployment: rolling', { kind: 'first' }],
    ['same release: rolling', { kind: 'same', supersedesStages: false }],
    [
      'same release: blue_green, because stable stays whole beside the candidate that is superseded',
      { kind: 'same', supersedesStages: true },
    ],
    ['the stable release is not on record: canary 2, 10, 25, 50', { kind: 'unknown' }],
    ['patch version, code changed, API unchanged, low risk: rolling', caseOf({ files: [code(10)], apiComparison: 'same' })],
    [
      'same version, LEVEL changed, low risk: rolling',
      caseOf({ version: { from: '1.0.0', to: '1.0.0', bump: 'none' }, environment: [{ name: 'LEVEL', to: 'debug' }] }),
    ],
    ['minor version, prompt changed, API unchanged: canary 5, 25, 50', caseOf({ ...minor, files: [prompt], apiComparison: 'same' })],
    ['minor version, code changed: canary 5, 25, 50', caseOf({ ...minor, files: [code(90)] })],
    ['patch version, database changed: canary 5, 25, 50', caseOf(migration('expand'))],
    [
      'minor version, model changed, high risk: canary 2, 10, 25, 50',
      caseOf({ ...minor, model: { name: { from: 'a', to: 'b' }, parameters: [] } }),
    ],
    ['major version, API unchanged, high risk: canary 2, 10, 25, 50', caseOf({ ...major, apiComparison: 'same' })],
    ['major version: blue_green, because both must not answer side by side: another major version may break its clients', caseOf(major)],
    [
      'major version, API incompatible: blue_green, because both must not answer side by side: the API breaks in 1 place',
      caseOf({ ...major, ...breaking }),
    ],
    [
      'patch version, database changed: blue_green, because both must not answer side by side: 001_a.contract.sql takes away what the stable release may use',
      caseOf(migration('contract')),
    ],
    [
      'patch version: blue_green, because stable stays whole beside the candidate that is superseded',
      caseOf({}, { supersedesStages: true }),
    ],
    [
      'earlier version, model changed: rolling, because it was in use before',
      caseOf(
        { version: { from: '1.1.0', to: '1.0.0', bump: 'lower' }, model: { name: { from: 'b', to: 'a' }, parameters: [] } },
        { isReturn: true },
      ),
    ],
    [
      'minor version, prompt changed: rolling, because there is no instance to be replaced',
      caseOf({ ...minor, files: [prompt] }, { replicas: 0 }),
    ],
  ])('%s', (words, given) => {
    expect(inWords(given)).toBe(words);
  });

  it('takes what is declared beside it where it belongs to the strategy, and says what it leaves for another time', () => {
    const declared = language.parse({
      strategy: 'auto',
      steps: [{ weight: 10, for: '1m' }],
      smoke: { path: '/s' },
      affinity: { cookie: 'a' },
    });
    const medium = caseOf({ ...minor, files: [prompt] });
    expect(inWords(medium, declared)).toBe('minor version, prompt changed: canary 10; smoke is for another way');
    expect(explicitRollout(declared, chooseStrategy(medium))).toMatchObject({ affinity: { cookie: 'a' }, analysis: { min_requests: 100 } });
    const green = explicitRollout(declared, chooseStrategy(caseOf(major)));
    expect([green.smoke?.path, green.keep_previous, green.steps, green.affinity]).toEqual(['/s', '10m', undefined, undefined]);
    const own = language.parse({ strategy: 'auto', analysis: { min_requests: 7, no_data: 'continue' }, on_failure: 'hold' });
    expect(rolloutSettings(explicitRollout(own, chooseStrategy(medium)))).toMatchObject({
      analysis: { rules: { minUnits: 7 }, noData: 'continue' },
      onFailure: 'hold',
    });
  });
});

const anyChange: fc.Arbitrary<ReleaseChange> = fc
  .record({
    version: fc.constantFrom(nothing.version, minor.version, major.version, { from: '2.0.0', to: '1.0.0', bump: 'lower' } as const),
    files: fc.subarray([code(10), code(200), code(900), prompt, { part: 'policy', path: 'policy', change: 'changed' } as const]),
    environment: fc.subarray([
      { name: 'A', to: '1' },
      { name: 'B', from: '1' },
    ]),
    api: fc.constantFrom<Pick<ReleaseChange, 'api' | 'apiComparison'>>(
      ...(['none', 'same', 'compared', 'added', 'removed', 'unreadable'] as const).map((apiComparison) => ({ apiComparison, api: [] })),
      breaking,
    ),
    migrations: fc.subarray([...migration('expand').migrations, ...migration('contract').migrations]),
    model: fc.constantFrom(undefined, { parameters: [{ name: 'temperature', to: 1 }] }, { name: { to: 'b' }, parameters: [] }),
  })
  .map(({ api, model, ...rest }) => Object.assign({}, nothing, rest, api, model && { model }));

const anyCase: fc.Arbitrary<RolloutCase> = fc.oneof(
  fc.constantFrom<RolloutCase>({ kind: 'first' }, { kind: 'unknown' }, { kind: 'same', supersedesStages: true }),
  fc.record({
    kind: fc.constant('change' as const),
    change: anyChange,
    isReturn: fc.boolean(),
    supersedesStages: fc.boolean(),
    replicas: fc.constantFrom(0, 1, 7),
  }),
);

const anyDeclared = fc
  .record(
    {
      max_surge: fc.constantFrom(1, 3),
      max_unavailable: fc.constantFrom(0, 2),
      steps: fc.constantFrom(
        [{ weight: 0 }],
        [
          { weight: 1, for: '1s' },
          { weight: 100, approval: true },
        ],
      ),
      analysis: fc.constantFrom({}, { latency: { at_most: { p95: '800ms' } }, error_rate: { at_most: '2%' }, no_data: 'rollback' }),
      baseline: fc.boolean(),
      affinity: fc.constantFrom({ user: true }, { header: 'x-user' }),
      smoke: fc.constant({ path: '/selftest' }),
      keep_previous: fc.constantFrom('0s', '1h'),
      on_failure: fc.constantFrom('hold', 'rollback'),
    },
    { requiredKeys: [] },
  )
  .map((fields) => language.parse({ strategy: 'auto', ...fields }));

describe('whatever is chosen', () => {
  it('is complete and valid, also in the language, and never lets meet what must not', () => {
    fc.assert(
      fc.property(anyCase, anyDeclared, (given, declared) => {
        const choice = chooseStrategy(given);
        const explicit = explicitRollout(declared, choice);
        expect(language.safeParse(explicit).success).toBe(true);
        const settings = rolloutSettings(explicit);
        expect(settings.strategy in strategies).toBe(true);
        const room = roomToMove(settings.maxSurge, settings.maxUnavailable, 4);
        expect(room.surge + room.unavailable).toBeGreaterThan(0);
        expect(goesByStages({ rollout: settings, expose: [], calls: [], drainMs: 0 })).toBe(choice.strategy !== 'rolling');
        expect([settings.analysis !== undefined, settings.stages !== undefined]).toEqual(Array(2).fill(choice.strategy === 'canary'));
        expect(settings.keepPreviousMs !== undefined).toBe(choice.strategy === 'blue_green');
        const all = { settings: { rollout: settings, expose: [], calls: [], drainMs: 0 }, replicas: 4 };
        for (const { weight } of stagesOf(all)) expect(capacityFor(weight, all)).toBeLessThanOrEqual(4);
        const mayNotMeet = given.kind === 'change' && given.replicas > 0 && sideBySideConflict(given.change) !== undefined;
        expect(mayNotMeet && choice.strategy !== 'blue_green').toBe(false);
        const supersedes = 'supersedesStages' in given && given.supersedesStages && !('replicas' in given && given.replicas === 0);
        expect(supersedes && choice.strategy === 'rolling').toBe(false);
        expect(choiceInWords(choice, explicit, declared)).toMatch(/^.+: (rolling|blue_green|canary [\d, ]+)/);
        // The same occasion is answered alike: a plan says what an apply does.
        expect(chooseStrategy(structuredClone(given))).toEqual(choice);
      }),
      { numRuns: 300 },
    );
  });
});
