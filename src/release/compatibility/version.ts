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
  const isEnough = because.length === 0 || compareVersions(after, lowest) >= 0;
  return { needed, lowest, isEnough, because };
}

function neededBump(breaking: readonly ApiChange[], additions: readonly ApiChange[]): [Bump, readonly ApiChange[]] {
  if (breaking.length > 0) return ['major', breaking];
  return additions.length > 0 ? ['minor', additions] : ['patch', []];
}

function bumped(version: string, bump: Bump): string {
  const [major = 0, minor = 0, patch = 0] = numbersOf(version);
  if (major === 0) return bump === 'major' ? `0.${minor + 1}.0` : `0.${minor}.${patch + 1}`;
  if (bump === 'major') return `${major + 1}.0.0`;
  return bump === 'minor' ? `${major}.${minor + 1}.0` : `${major}.${minor}.${patch + 1}`;
}

/** Below zero when `one` comes first. A pre-release comes before its version; among pre-releases only their presence counts. */
function compareVersions(one: string, other: string): number {
  const [left, right] = [numbersOf(one), numbersOf(other)];
  for (let index = 0; index < 3; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return Number(other.includes('-')) - Number(one.includes('-'));
}

/** How far one version is from another, by its numbers alone. */
export function bumpBetween(before: string, after: string): Bump | 'none' | 'lower' {
  const order = compareVersions(after, before);
  if (order === 0) return 'none';
  if (order < 0) return 'lower';
  const [old, now] = [numbersOf(before), numbersOf(after)];
  if (old[0] !== now[0]) return 'major';
  return old[1] === now[1] ? 'patch' : 'minor';
}

function numbersOf(version: string): readonly number[] {
  return (version.split(/[-+]/)[0] ?? '').split('.').map(Number);
}
