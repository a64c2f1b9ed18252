import type { ApiChange } from './api-change.ts';

type Bump = 'major' | 'minor' | 'patch';

export interface VersionFinding {
  /** The bump the changes need. */
  readonly needed: Bump;
  /** The lowest version after `before` that has it. */
  readonly lowest: string;
  readonly isEnough: boolean;
  /** The changes that need it; the rest need less. */
  readonly because: readonly ApiChange[];
}

/**
 * Whether a version says as much as changed (Semantic Versioning 2.0.0): a breaking change of the API needs a new major version, an
 * addition a minor one. Before 1.0.0 a minor version is what a major one is later. Versions are as the language takes them.
 */
export function judgeVersion(before: string, after: string, changes: readonly ApiChange[]): VersionFinding {
  const breaking = changes.filter((change) => change.breaking);
  const additions = changes.filter(({ what }) => what.startsWith('a new'));
  const [needed, because] = neededBump(breaking, additions);
  const lowest = bumped(before, needed);
  // An unchanged API asks for nothing: the label may stay as it is.
  // What precedes a version may already be what that version will be: 2.0.0-rc.1 has the number of 2.0.0 (9).
  const isEnough = because.length === 0 || compareNumbers(after, lowest) >= 0;
  return { needed, lowest, isEnough, because };
}

function neededBump(breaking: readonly ApiChange[], additions: readonly ApiChange[]): [Bump, readonly ApiChange[]] {
  if (breaking.length > 0) return ['major', breaking];
  return additions.length > 0 ? ['minor', additions] : ['patch', []];
}

function bumped(version: string, bump: Bump): string {
  const [major = 0, minor = 0, patch = 0] = numbersOf(version);
  // A pre-release has what its version will have: before 2.0.0-rc.1 comes no 2.0.0.
  const isAhead = prereleaseOf(version) !== undefined;
  const next = (number: number, ...below: readonly number[]): number =>
    isAhead && below.every((each) => each === 0) ? number : number + 1;
  if (major === 0) return bump === 'major' ? `0.${next(minor, patch)}.0` : `0.${minor}.${next(patch)}`;
  if (bump === 'major') return `${next(major, minor, patch)}.0.0`;
  return bump === 'minor' ? `${major}.${next(minor, patch)}.0` : `${major}.${minor}.${next(patch)}`;
}

/** Precedence (Semantic Versioning 2.0.0, 11): below zero when `one` comes first. Build metadata takes no part. */
function compareVersions(one: string, other: string): number {
  const difference = compareNumbers(one, other);
  if (difference !== 0) return difference;
  const [left, right] = [prereleaseOf(one), prereleaseOf(other)];
  if (left === undefined || right === undefined) return Number(right !== undefined) - Number(left !== undefined);
  const length = Math.max(left.length, right.length);
  return Array.from({ length }, (_, index) => compareIdentifiers(left[index], right[index])).find((each) => each !== 0) ?? 0;
}

function compareNumbers(one: string, other: string): number {
  const [left, right] = [numbersOf(one), numbersOf(other)];
  return [0, 1, 2].map((index) => (left[index] ?? 0) - (right[index] ?? 0)).find((each) => each !== 0) ?? 0;
}

/** Numbers come before words, and what is shorter before what goes on. */
function compareIdentifiers(one: string | undefined, other: string | undefined): number {
  if (one === undefined || other === undefined) return Number(one !== undefined) - Number(other !== undefined);
  const [left, right] = [one, other].map((each) => (/^\d+$/.test(each) ? Number(each) : undefined));
  if (left !== undefined && right !== undefined) return left - right;
  if (left !== undefined || right !== undefined) return left === undefined ? 1 : -1;
  return one === other ? 0 : one < other ? -1 : 1;
}

/** `rc`, `1` of `2.0.0-rc.1+build.5`. */
function prereleaseOf(version: string): readonly string[] | undefined {
  const label = version.split('+')[0] ?? '';
  const start = label.indexOf('-');
  return start === -1 ? undefined : label.slice(start + 1).split('.');
}

/** How far one version is from another; `prerelease` when only that part differs, and `none` also when only build metadata does. */
export function bumpBetween(before: string, after: string): Bump | 'none' | 'lower' | 'prerelease' {
  const order = compareVersions(after, before);
  if (order === 0) return 'none';
  if (order < 0) return 'lower';
  const [old, now] = [numbersOf(before), numbersOf(after)];
  if (compareNumbers(before, after) === 0) return 'prerelease';
  if (old[0] !== now[0]) return 'major';
  return old[1] === now[1] ? 'patch' : 'minor';
}

function numbersOf(version: string): readonly number[] {
  return (version.split(/[-+]/)[0] ?? '').split('.').map(Number);
}
