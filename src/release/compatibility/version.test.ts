import { expect, test } from 'vitest';
import { judgeVersion } from './version.ts';

const broken = { path: 'GET /orders', breaking: true, what: 'the operation is removed' };
const added = { path: 'GET /carts', breaking: false, what: 'a new operation' };
const silent = { path: 'GET /orders query parameter page', breaking: false, what: 'the parameter is removed: it is no longer looked at' };

const cases: readonly [string, string, string, (typeof broken)[], boolean, string][] = [
  ['a breaking change under a patch version needs a major one', '1.2.3', '1.2.4', [broken, added], false, '2.0.0'],
  ['a breaking change under a minor version needs a major one', '1.2.3', '1.3.0', [broken], false, '2.0.0'],
  ['a breaking change under a major version has it', '1.2.3', '2.0.0', [broken], true, '2.0.0'],
  ['an addition under a patch version needs a minor one', '1.2.3', '1.2.4', [added], false, '1.3.0'],
  ['an addition under a minor version has it', '1.2.3', '1.3.0', [added], true, '1.3.0'],
  ['before 1.0.0 a breaking change needs a minor version', '0.4.1', '0.4.2', [broken], false, '0.5.0'],
  ['before 1.0.0 an addition needs a patch version', '0.4.1', '0.4.2', [added], true, '0.4.2'],
  ['a pre-release is not yet the version', '1.2.3', '2.0.0-rc.1', [broken], false, '2.0.0'],
  ['what no client notices may keep its label', '1.2.3', '1.2.3', [silent], true, '1.2.4'],
];

test.each(cases)('%s', (_name, before, after, changes, isEnough, lowest) => {
  expect(judgeVersion(before, after, changes)).toMatchObject({ isEnough, lowest });
});
