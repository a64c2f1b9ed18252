import { contentOf, revisionOf } from '../service-state.ts';
import { type Witness, watching } from './witness.ts';
import { desiredRelease } from './desired-release.ts';
import { type Watch } from './world.ts';

/** 5: what is in use is exactly one release, whole, and it has been the candidate; nothing is on its way to a service that is removed. */
export function releaseWatch({ check }: Witness): Watch {
  return watching({
    stored(before, after) {
      if (!before || !after) return;
      const movedOn = after.stable === before.stable || after.stable === before.candidate?.generation;
      check(movedOn, `5: ${after.stable} became stable without having been the candidate`);
      const goesOn = after.candidate !== undefined || after.rollouts?.some(({ outcome }) => outcome === undefined) === true;
      check(after.mode !== 'removed' || !goesOn, '5: a rollout goes on although its service is removed');
      if (after.stable === before.stable || after.stable === undefined) return;
      const release = revisionOf(after, after.stable)?.release ?? '';
      const whole = JSON.stringify(desiredRelease(release, '').revision);
      check(JSON.stringify(contentOf(after, after.stable)) === whole, `5: ${release} came into use with parts of another release`);
    },
  });
}
