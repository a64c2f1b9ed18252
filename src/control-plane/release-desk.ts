import type { ReleaseDesk } from '../api/ports.ts';
import type { ListedRelease, ReleaseDifference } from '../api/schemas/release.ts';
import type { Json } from '../digest/json.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { type ComparedRelease, describeChange } from '../release/difference/describe-change.ts';
import { inWords } from '../release/difference/in-words.ts';
import { recordedFiles } from '../release/difference/release-files.ts';
import { assessRisk } from '../release/difference/risk.ts';
import { contentDigests } from '../release/release-content.ts';
import type { ReleaseRecords } from '../release/release-records.ts';
import type { Release } from '../release/release.ts';
import type { ServiceController } from '../rollout/service-controller.ts';
import { revisionOf, type ServiceState } from '../rollout/service-state.ts';
import type { KnownSecrets } from '../secrets/known-secrets.ts';

/** Releases as people see them: what is recorded, and what each one's own copy of its files says. */
export function createReleaseDesk(dependencies: {
  readonly controller: Pick<ServiceController, 'stateOf'>;
  readonly releases: Pick<ReleaseRecords, 'list'>;
  /** Takes secrets out of what files say. */
  readonly secrets: Pick<KnownSecrets, 'scrubJson'>;
}): ReleaseDesk {
  const { controller, releases, secrets } = dependencies;

  /** Oldest first. */
  async function recorded(environment: string, service: string) {
    const address = `${environment}/service/${service}`;
    const [state, all] = await Promise.all([controller.stateOf(address), releases.list(environment, service)]);
    if (state === undefined && all.length === 0) throw sluiceError('unknown_service', { address });
    const find = (id: string): Release => {
      const release = all.find((candidate) => candidate.id === id);
      if (release === undefined) throw sluiceError('unknown_release', { service: address, release: id });
      return release;
    };
    // What it was first rolled out beside, so that candidates which were never in use are passed over; else the one recorded before it.
    const before = (release: Release): Release | undefined => {
      const from = state?.rollouts?.findLast(({ release: id, from: beside }) => id === release.id && beside !== release.id)?.from;
      return all.find(({ id }) => id === from) ?? all[all.indexOf(release) - 1];
    };
    return { state, all, find, before };
  }

  async function difference(before: Release, after: Release): Promise<ReleaseDifference> {
    const change = describeChange(await compared(before), await compared(after));
    return masked({ from: before.id, to: after.id, words: inWords(change), risk: assessRisk(change), change });
  }

  /** Whatever is declared or written in files may hold what nobody meant to write there. */
  function masked<T>(shown: T): T {
    return secrets.scrubJson(shown as Json) as T;
  }

  return {
    async list(environment, service) {
      const { state, all } = await recorded(environment, service);
      return all.map((release) => listed(release, state)).toReversed();
    },
    async get(environment, service, id) {
      const { state, find, before } = await recorded(environment, service);
      const release = find(id);
      const { command, environment: variables, model } = release.content;
      const earlier = before(release);
      const { words, risk } = earlier ? await difference(earlier, release) : { words: ['the oldest release that is kept'] };
      return masked({
        ...listed(release, state),
        content: {
          command,
          environment: variables,
          ...(model && { model }),
          ...(release.image && { image: release.image }),
          digests: contentDigests(release.content),
        },
        ...(earlier && { before: earlier.id }),
        ...(risk && { risk }),
        words,
      });
    },
    async compare(environment, service, { from, to }) {
      const { find, before } = await recorded(environment, service);
      const after = find(to);
      const earlier = from === undefined ? before(after) : find(from);
      if (earlier === undefined) throw sluiceError('nothing_to_compare', { service: `${environment}/service/${service}`, release: to });
      return difference(earlier, after);
    },
  };
}

async function compared({ version, content, image, directory }: Release): Promise<ComparedRelease> {
  return { version, content, image, files: await recordedFiles(directory) };
}

function listed(release: Release, state: ServiceState | undefined): ListedRelease {
  const { id, digest, service, version, createdAt } = release;
  return { id, digest, service, version, state: stateOf(id, state), createdAt };
}

function stateOf(id: string, state: ServiceState | undefined): ListedRelease['state'] {
  if (state === undefined) return 'kept';
  if (revisionOf(state, state.stable)?.release === id) return 'stable';
  if (revisionOf(state, state.candidate?.generation)?.release === id) return 'candidate';
  if (state.candidate?.course?.experiment?.arms.some(({ release, withdrawn }) => release === id && !withdrawn)) return 'arm';
  if (state.failure?.release === id) return 'failed';
  if (state.history?.some(({ release }) => release === id)) return 'kept';
  const ended = state.rollouts?.find(({ release }) => release === id)?.outcome;
  return ended === 'failed' || ended === 'superseded' ? ended : 'kept';
}
