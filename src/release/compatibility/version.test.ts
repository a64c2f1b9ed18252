import { expect, test } from 'vitest';
import { bumpBetween, judgeVersion } from './version.ts';

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
  ['a pre-release has the number of its version', '1.2.3', '2.0.0-rc.1', [broken], true, '2.0.0'],
  ['a pre-release of a patch has no more than a patch', '1.2.3', '1.2.4-rc.1', [broken], false, '2.0.0'],
  ['a pre-release of a major version may still break', '2.0.0-rc.1', '2.0.0-rc.2', [broken], true, '2.0.0'],
  ['a pre-release of a minor version may not', '1.3.0-rc.1', '1.3.0', [broken], false, '2.0.0'],
  ['a pre-release of a minor version may grow', '1.3.0-rc.1', '1.3.0', [added], true, '1.3.0'],
  ['build metadata raises nothing', '1.2.3', '1.2.3+build.7', [broken], false, '2.0.0'],
  ['what no client notices may keep its label', '1.2.3', '1.2.3', [silent], true, '1.2.4'],
];

test.each(cases)('%s', (_name, before, after, changes, isEnough, lowest) => {
  expect(judgeVersion(before, after, changes)).toMatchObject({ isEnough, lowest });
});

const orders: readonly [string, string, ReturnType<typeof bumpBetween>][] = [
  ['1.0.0-rc.1', '1.0.0-rc.2', 'prerelease'],
  ['1.0.0-rc.2', '1.0.0-rc.10', 'prerelease'],
  ['1.0.0-rc.1', '1.0.0', 'prerelease'],
  ['1.0.0-beta', '1.0.0-alpha', 'lower'],
  ['1.0.0-alpha.1', '1.0.0-alpha', 'lower'],
  ['1.0.0-1', '1.0.0-alpha', 'prerelease'],
  ['1.0.0', '1.0.0-rc.1', 'lower'],
  ['1.0.0', '1.0.0+build', 'none'],
  ['1.9.0', '1.10.0-rc-1', 'minor'],
];

test.each(orders)('from %s to %s is %s', (before, after, bump) => {
  expect(bumpBetween(before, after)).toBe(bump);
});
