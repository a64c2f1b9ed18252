import type { Client } from '../../api/client.ts';
import type { ListedRelease } from '../../api/schemas/release.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { ArgumentSpec } from '../command.ts';

export const serviceArgument = { name: 'service', description: 'Name of a service', required: true } as const satisfies ArgumentSpec;

export const releaseWords = 'an id or the beginning of one, a version, stable, candidate or latest';

/** What the words beside ids and versions mean. */
const namedStates: ReadonlySet<string> = new Set(['stable', 'candidate']);

/**
 * The release a person means; of several of one version the newest. Throws `unknown_release`, and `ambiguous_release` for the beginning
 * of several ids.
 */
export function releaseNamed(word: string, all: readonly ListedRelease[], service: string): ListedRelease {
  const exact = all.find(
    ({ id, version, state }, index) =>
      id === word || version === word || (namedStates.has(word) && state === word) || (word === 'latest' && index === 0),
  );
  if (exact) return exact;
  const found = word.length < 3 ? [] : all.filter(({ id }) => id.startsWith(word) || id.startsWith(`r-${word}`));
  const [only] = found;
  if (only === undefined) throw sluiceError('unknown_release', { service, release: word });
  if (found.length > 1) throw sluiceError('ambiguous_release', { service, release: word, found: found.map(({ id }) => id) });
  return only;
}

/**
 * The two releases that are compared: of two words those; of one what it changed; of none what the candidate, or else the newest release,
 * changes beside the stable one.
 */
export async function releasesNamed(
  client: Client,
  { environment, service }: { readonly environment: string; readonly service: string },
  words: { readonly from?: string | undefined; readonly to?: string | undefined },
): Promise<{ readonly from?: string; readonly to: string }> {
  const all = await client.listReleases(environment, service);
  const [newest] = all;
  if (newest === undefined) throw sluiceError('unknown_release', { service, release: words.from ?? 'latest' });
  if (words.from !== undefined) {
    const first = releaseNamed(words.from, all, service);
    return words.to === undefined ? { to: first.id } : { from: first.id, to: releaseNamed(words.to, all, service).id };
  }
  const stable = all.find(({ state }) => state === 'stable');
  const next = all.find(({ state }) => state === 'candidate') ?? newest;
  return stable === undefined || stable.id === next.id ? { to: next.id } : { from: stable.id, to: next.id };
}
