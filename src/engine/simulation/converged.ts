import type { JsonObject } from '../../digest/json.ts';
import { canonicalJson, jsonEquals } from '../../digest/json.ts';
import { createOutputResolver } from '../output-resolver.ts';
import { hasChanges } from '../../plan/plan.ts';
import { placeOf, type ResourceState } from '../../providers/resource-state.ts';
import type { ResolvedStack } from '../../stack/stack.ts';
import { canary } from './cloud.ts';
import type { ControlPlane } from './control-plane.ts';
import { environment } from './stacks.ts';
import { simulatedVault } from './vault.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

/** What is there is what is recorded is what the stack asks for, with the values its dependencies have now; and a plan agrees. */
export async function assertConverged(world: World, plane: ControlPlane, stack: ResolvedStack): Promise<void> {
  const { cloud, store } = world;
  const documents = await store.list('resources');
  const asked = addressesOf(stack.blocks);
  const states = new Map(documents.map(({ key, value }) => [key, value as unknown as ResourceState]));
  const known = new Map(Array.from(states, ([key, state]) => [placeOf(state), key]));
  const there = Array.from(cloud.resources.values(), ({ address }) => known.get(address) ?? address).toSorted();
  if (!jsonEquals(there, asked)) throw new Violation('converges', `there is ${there.join(' ')}, asked for is ${asked.join(' ')}`);
  const recorded = documents.map(({ key }) => key);
  if (!jsonEquals(recorded.toSorted(), asked))
    throw new Violation('converges', `recorded is ${recorded.join(' ')}, asked for is ${asked.join(' ')}`);

  const resolver = createOutputResolver({ store, vault: simulatedVault });
  for (const { address, fields } of stack.blocks) {
    const state = states.get(address);
    const [resource] = state === undefined ? [] : cloud.at(placeOf(state));
    if (state?.status !== 'ready' || state.id !== resource?.id) {
      throw new Violation('converges', `${address} is recorded as ${state?.status} ${state?.id}, there is ${resource?.id}`);
    }
    const values: JsonObject = await resolver.resolve(environment, fields);
    if (!resource.running || !jsonEquals(resource.declared, fields) || !jsonEquals(resource.fields, values)) {
      throw new Violation('converges', `${address} is ${canonicalJson(resource.fields)}, asked for is ${canonicalJson(values)}`);
    }
  }
  const deserted = cloud.stranded.find(({ address }) => cloud.at(address).length === 0);
  if (deserted !== undefined) {
    throw new Violation('nobody_stranded', `${deserted.address} went while ${deserted.by.join(' ')} still referred to it`);
  }
  // All is allowed: what it would still do shall be seen, not refused.
  const allowed = { allowDestroy: [...recorded], allowMassDestroy: true };
  const plan = await (stack.blocks.length === 0 ? plane.planner.planDestroy(environment, allowed) : plane.planner.plan(stack, allowed));
  const left = plan.changes.find(({ action }) => action !== 'none');
  if (hasChanges(plan)) throw new Violation('converges', `a second plan would ${left?.action} ${left?.address}: ${left?.reason}`);
  // Reading everything costs more than most histories: a part of them is enough.
  if (world.random.next() < 0.75) return;
  const kept = [plan, documents, await store.read('events', 0, 10_000), await store.read('journal', 0, 10_000)];
  if (JSON.stringify(kept).includes(canary))
    throw new Violation('secrets_stay_secret', 'the value of a secret is in the store or in a plan');
}

function addressesOf(list: Iterable<{ readonly address: string }>): readonly string[] {
  return Array.from(list, ({ address }) => address).toSorted();
}
