import { describeChange } from '../../release/difference/describe-change.ts';
import type { ReleaseChange } from '../../release/difference/release-change.ts';
import { recordedFiles } from '../../release/difference/release-files.ts';
import type { Release } from '../../release/release.ts';
import type { ServiceFields } from '../../stack/kinds/service.ts';
import type { DesiredService } from '../desired-state.ts';
import { revisionOf, type ServiceState } from '../service-state.ts';
import { chosenRollout } from './chosen-rollout.ts';

/**
 * What is desired, with the way to it: with `auto` by what is different between the two releases as they are recorded, and chosen anew only
 * for a rollout that is not under way yet.
 */
export async function withChosenWay(
  desired: DesiredService,
  { rollout: declared }: Pick<ServiceFields, 'rollout'>,
  { state, release, find }: { state: ServiceState | undefined; release: Release; find: (id: string) => Promise<Release | undefined> },
): Promise<DesiredService> {
  if (declared.strategy !== 'auto') return desired;
  const stableId = state && revisionOf(state, state.stable)?.release;
  const stable = stableId === undefined || stableId === release.id ? undefined : await find(stableId);
  const change = stable && (await changeBetween(stable, release));
  const { scaling } = desired.settings;
  const replicas = scaling ? Math.max(scaling.min, state?.replicas ?? 0) : desired.replicas;
  const rollout = chosenRollout({ declared, replicas, release: release.id, state, change });
  return { ...desired, settings: { ...desired.settings, rollout } };
}

async function changeBetween(before: Release, after: Release): Promise<ReleaseChange> {
  const [old, now] = await Promise.all([recordedFiles(before.directory), recordedFiles(after.directory)]);
  return describeChange({ ...before, files: old }, { ...after, files: now });
}
