import { expect, test } from 'vitest';
import type { FileChange, ReleaseChange } from './release-change.ts';
import { assessRisk, type RiskLevel } from './risk.ts';

const none: ReleaseChange = {
  version: { from: '1.0.0', to: '1.0.1', bump: 'patch' },
  files: [],
  prompts: [],
  environment: [],
  apiComparison: 'none',
  api: [],
  migrations: [],
};
const code = (added: number): FileChange => ({ part: 'source', path: 'source/a.ts', change: 'changed', lines: { added, removed: 0 } });
const prompt = (changed: number, of: number): Pick<ReleaseChange, 'files' | 'prompts'> => ({
  files: [{ part: 'prompts', path: 'prompts/a.md', change: 'changed' }],
  prompts: [{ path: 'prompts/a.md', words: [], changed, of }],
});
const policy: FileChange = { part: 'policy', path: 'policy.json', change: 'changed' };

const cases: readonly [string, Partial<ReleaseChange>, RiskLevel, string][] = [
  ['nothing', {}, 'low', 'nothing that changes behaviour'],
  ['a few lines of code', { files: [code(12)] }, 'low', 'the code changes: 12 lines in 1 file'],
  ['more code', { files: [code(40), code(40)] }, 'medium', 'the code changes: 80 lines in 2 files'],
  ['very much code', { files: [code(501)] }, 'high', 'the code changes: 501 lines in 1 file'],
  ['one word of a prompt', prompt(1, 120), 'medium', 'the prompts change: 1 of 120 words'],
  ['a rewritten prompt', prompt(80, 120), 'high', 'the prompts change: 80 of 120 words'],
  [
    'a new version of the model',
    { model: { version: { from: '1', to: '2' }, parameters: [] } },
    'high',
    'another version of the model: 1 to 2',
  ],
  [
    'a parameter',
    { model: { parameters: [{ name: 'temperature', from: 0, to: 1 }] } },
    'medium',
    'parameters of the model change: temperature',
  ],
  ['a variable', { environment: [{ name: 'LOG_LEVEL', to: 'debug' }] }, 'low', 'variables change: LOG_LEVEL'],
  ['a policy', { files: [policy] }, 'medium', 'the policy changes'],
  [
    'a break of the API',
    { apiComparison: 'compared', api: [{ path: 'GET /a', breaking: true, what: 'the operation is removed' }] },
    'high',
    'the API breaks in 1 place',
  ],
  [
    'an added column',
    { migrations: [{ name: '1_a.expand.sql', change: 'added', phase: 'expand' }] },
    'medium',
    'the database changes: 1_a.expand.sql',
  ],
  [
    'a dropped column',
    { migrations: [{ name: '1_a.contract.sql', change: 'added', phase: 'contract' }] },
    'high',
    'the database changes for good: 1_a.contract.sql',
  ],
  ['a major version', { version: { from: '1.0.0', to: '2.0.0', bump: 'major' } }, 'high', 'a new major version: 1.0.0 to 2.0.0'],
];

test.each(cases)('%s has its risk and its reason', (_name, change, level, reason) => {
  expect(assessRisk({ ...none, ...change })).toEqual({ level, reasons: [{ level, reason }] });
});

test('three things of medium weight at once are high, and every one of them is told', () => {
  const { level, reasons } = assessRisk({ ...none, files: [code(80), policy], command: { from: ['a'], to: ['b'] } });
  expect(level).toBe('high');
  expect(reasons.map(({ reason }) => reason)).toEqual([
    '3 things of weight change at once',
    'the code changes: 80 lines in 1 file',
    'the policy changes',
    'the command changes',
  ]);
});
