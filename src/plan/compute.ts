import { sluiceError, problem, type Problem } from '../errors/sluice-error.ts';
import type { Address } from '../stack/stack.ts';
import { type Decision, decide } from './decide.ts';
import { digestStates } from './digests.ts';
import type { DesiredResource, PlanInputs, RecordedResource } from './inputs.ts';
import { type Edge, orderAlong } from './order.ts';
import type { Action, Change, Plan } from './plan.ts';
import { riskOf } from './risk.ts';

/**
 * The changes that lead from what is recorded and observed to what is desired. Pure, and linear in resources plus references. Throws
 * `protected_resource` when a protected resource would be deleted or replaced without being named in `allowDestroy`.
 */
export function computePlan(inputs: PlanInputs): Plan {
  const desired = new Map(inputs.desired.map((resource) => [resource.block.address, resource]));
  const recorded = new Map(inputs.recorded.map((resource) => [resource.state.address, resource]));
  const decisions = decideAll(inputs, desired, recorded);
  refuseProtected(inputs, decisions, desired, recorded);
  const { order, after } = orderAlong([...decisions.keys()], ...edgesBetween(inputs, decisions));
  const changes = order.map((address): Change => {
    const { action, reason, fields } = decisions.get(address) as Decision;
    const { kind, name } = desired.get(address)?.block ?? (recorded.get(address) as RecordedResource).state;
    const exists = (recorded.get(address)?.state.id ?? '') !== '';
    const risk = riskOf(action, kind, exists);
    return { address, kind, name, action, reason, fields, risk, downtime: action === 'replace' && exists, after: after.get(address) ?? [] };
  });
  const { id, environment, mode, stackDigest, createdAt } = inputs;
  const stateDigest = digestStates(inputs.recorded.map(({ state, version }) => ({ address: state.address, version })));
  const problems = [...inputs.problems, ...followNotes(inputs, decisions)];
  return { id, environment, mode, stackDigest, stateDigest, createdAt, changes, problems };
}

function decideAll(
  inputs: PlanInputs,
  desired: ReadonlyMap<Address, DesiredResource>,
  recorded: ReadonlyMap<Address, RecordedResource>,
): ReadonlyMap<Address, Decision> {
  const decisions = new Map<Address, Decision>();
  const actions = new Map<Address, Action>();
  for (const address of orderAlong([...desired.keys()], referenceEdges(inputs.desired)).order) {
    const decision = decide(desired.get(address) as DesiredResource, recorded.get(address), actions);
    decisions.set(address, decision);
    actions.set(address, decision.action);
  }
  const reason = inputs.mode === 'destroy' ? 'the environment is destroyed' : 'no longer in the stack';
  for (const address of recorded.keys()) {
    if (!desired.has(address)) decisions.set(address, { action: 'delete', reason, fields: [] });
  }
  return decisions;
}

function referenceEdges(desired: readonly DesiredResource[]): readonly Edge[] {
  return desired.flatMap(({ block }) =>
    block.references.filter(({ ordering }) => ordering).map(({ address }) => ({ earlier: address, later: block.address })),
  );
}

/**
 * Dependencies come before dependents, and go after everything that depended on them has gone or has turned to something else. It is
 * only a wish that a replaced resource outlives dependents that go: in some reshaped stacks that cannot be had.
 */
function edgesBetween(inputs: PlanInputs, decisions: ReadonlyMap<Address, Decision>): readonly [readonly Edge[], readonly Edge[]] {
  const edges = [...referenceEdges(inputs.desired)];
  const wishes: Edge[] = [];
  for (const { state } of inputs.recorded) {
    const dependent = decisions.get(state.address)?.action;
    for (const dependency of state.dependencies) {
      const action = decisions.get(dependency)?.action;
      const edge = { earlier: state.address, later: dependency };
      if (action === 'delete') edges.push(edge);
      else if (action === 'replace' && dependent === 'delete') wishes.push(edge);
    }
  }
  return [edges, wishes];
}

function refuseProtected(
  inputs: PlanInputs,
  decisions: ReadonlyMap<Address, Decision>,
  desired: ReadonlyMap<Address, DesiredResource>,
  recorded: ReadonlyMap<Address, RecordedResource>,
): void {
  const allowed = new Set(inputs.allowDestroy);
  const problems: Problem[] = [];
  for (const [address, { action, reason }] of decisions) {
    if ((action !== 'delete' && action !== 'replace') || allowed.has(address)) continue;
    const state = recorded.get(address)?.state;
    const block = desired.get(address)?.block;
    const isProtected = state?.declared['protect'] === true || block?.fields['protect'] === true;
    if (!isProtected || state?.id === '') continue;
    const position = block?.positionOf('protect');
    problems.push(problem('protected_resource', { address, action, reason }, { address, ...(position && { position }) }));
  }
  const [first] = problems;
  if (first?.address === undefined) return;
  const { action, reason } = decisions.get(first.address as Address) as Decision;
  throw sluiceError('protected_resource', { address: first.address, action, reason }, { problems });
}

/** Says which unchanged resources read outputs of updated ones: they follow within the same apply should those outputs change. */
function followNotes(inputs: PlanInputs, decisions: ReadonlyMap<Address, Decision>): readonly Problem[] {
  return inputs.desired.flatMap(({ block, dependencyValues }) => {
    if (decisions.get(block.address)?.action !== 'none') return [];
    const updated = dependencyValues.find(({ reads, address }) => reads === 'output' && decisions.get(address)?.action === 'update');
    if (updated === undefined) return [];
    const { address } = block;
    return [problem('follows_dependency', { address, dependency: updated.address }, { severity: 'note', address })];
  });
}
