import type { ReleaseChange } from '../../release/difference/release-change.ts';

/** What a change is, in a few words each, for the line that explains a choice: `minor version`, `prompt changed`, `API unchanged`. */
export function changeInFacts(change: ReleaseChange): readonly string[] {
  return [versionFact(change), ...contentFacts(change), ...apiFact(change)];
}

const bumps = {
  none: 'same version',
  patch: 'patch version',
  minor: 'minor version',
  major: 'major version',
  lower: 'earlier version',
  prerelease: 'same version, another pre-release',
} as const;

function versionFact({ version }: ReleaseChange): string {
  return bumps[version.bump];
}

function contentFacts({ files, image, model, environment, command, migrations }: ReleaseChange): string[] {
  const of = (part: string) => files.filter((file) => file.part === part);
  const prompts = of('prompts').length;
  return [
    ...(image ? ['image changed'] : []),
    ...(of('source').length > 0 ? ['code changed'] : []),
    ...(prompts > 0 ? [`${prompts === 1 ? 'prompt' : 'prompts'} changed`] : []),
    ...(model ? [`model ${model.name || model.version ? '' : 'parameters '}changed`] : []),
    ...(of('policy').length > 0 ? ['policy changed'] : []),
    ...(command ? ['command changed'] : []),
    ...(environment.length > 0 ? [`${named(environment.map(({ name }) => name))} changed`] : []),
    ...(migrations.length > 0 ? ['database changed'] : []),
  ];
}

const comparisons: Readonly<Record<ReleaseChange['apiComparison'], string | undefined>> = {
  none: undefined,
  same: 'API unchanged',
  added: 'API described for the first time',
  removed: 'API no longer described',
  unreadable: 'API cannot be compared',
  compared: 'API compatible',
};

function apiFact({ apiComparison, api }: ReleaseChange): string[] {
  const fact = api.some(({ breaking }) => breaking) ? 'API incompatible' : comparisons[apiComparison];
  return fact === undefined ? [] : [fact];
}

/** Up to three by name, the rest by number. */
function named(names: readonly string[]): string {
  const more = names.length - 3;
  return more > 0 ? `${names.slice(0, 3).join(', ')} and ${more} more` : names.join(', ');
}
