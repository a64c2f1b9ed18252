import type { ReleaseChange } from '../difference/release-change.ts';

/**
 * Why two releases must not answer the same requests side by side; undefined when they may. Clients of one API would meet both contracts
 * by chance, and what one release leaves in a shared database would trouble the other: then an error shows in the wrong arm of a
 * comparison, and no evidence can be trusted (no unit may be affected by the treatment of another: Rubin's SUTVA, 1980). Pure.
 */
export function sideBySideConflict({ version, api, apiComparison, migrations }: ReleaseChange): string | undefined {
  const breaking = api.filter((change) => change.breaking).length;
  if (breaking > 0) return `the API breaks in ${breaking} ${breaking === 1 ? 'place' : 'places'}`;
  const isCompared = apiComparison === 'same' || apiComparison === 'compared';
  // Where no description says otherwise, the version is taken at its word.
  if (!isCompared && majorOf(version.from) !== majorOf(version.to)) return 'another major version may break its clients';
  const destructive = migrations.find(({ change, phase }) => change === 'added' && phase === 'contract');
  return destructive && `${destructive.name} takes away what the stable release may use`;
}

function majorOf(version: string): string | undefined {
  return version.split('.')[0];
}
