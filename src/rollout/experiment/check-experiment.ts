import { problem, type Problem } from '../../errors/sluice-error.ts';
import { readReleaseContent, releaseDigest, type ResolveImage } from '../../release/release-content.ts';
import type { ServiceFields } from '../../stack/kinds/service.ts';
import type { ResolvedBlock, ResolvedStack } from '../../stack/stack.ts';
import { revisionOf, type ServiceState } from '../service-state.ts';
import { armFields, declaredArms } from './declared-experiment.ts';
import { plainArm } from './experiment-state.ts';

/** A promoted arm that is in use in the place of what is declared: somebody has to write it down. */
export function checkChosen(block: ResolvedBlock, state: ServiceState | undefined): readonly Problem[] {
  const { chosen } = state ?? {};
  if (!state || !chosen || revisionOf(state, state.stable)?.release !== chosen.release) return [];
  const fields = block.fields as unknown as ServiceFields;
  if (!declaredArms(fields).includes(chosen.arm)) return [];
  const place = { position: block.positionOf('rollout.experiment'), address: block.address };
  return [problem('experiment_arm_in_use', { service: block.name, ...chosen }, { ...place, severity: 'warning' })];
}

/** Arms that would be one and the same release: they compare nothing. Their files have to be readable. */
export async function checkArms(block: ResolvedBlock, stack: ResolvedStack, resolveImage: ResolveImage): Promise<readonly Problem[]> {
  const fields = block.fields as unknown as ServiceFields;
  const names = declaredArms(fields);
  if (names.length === 0) return [];
  const seen = new Map([[releaseDigest(await readReleaseContent(fields, stack.root, resolveImage)), plainArm]]);
  const problems: Problem[] = [];
  for (const name of names) {
    const digest = releaseDigest(await readReleaseContent(armFields(fields, name), stack.root, resolveImage));
    const one = seen.get(digest);
    const place = { position: block.positionOf(`rollout.experiment.arms.${name}`), address: block.address };
    if (one !== undefined) problems.push(problem('experiment_arms_alike', { service: block.name, one, other: name }, place));
    else seen.set(digest, name);
  }
  return problems;
}
