import { type Problem, problem } from '../errors/sluice-error.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { Address } from '../stack/stack.ts';
import { oldCopies, usersOf } from './copies.ts';
import { type Decision, decide, localAddress } from './decide.ts';
import { digestStates } from './digests.ts';
import type { DesiredResource, PlanInputs, RecordedResource } from './inputs.ts';
import { type Edge, orderAlong } from './order.ts';
import type { Action, Change, Plan, Scope } from './plan.ts';
import { judge, judgedChanges, refuseDenied } from './policy.ts';
import { decideRefresh } from './refresh.ts';
import { likelyRenames, moveEntry } from './renames.ts';
import { riskOf } from './risk.ts';
import { refuseUnwantedLosses } from './safeguards.ts';
import { scopeOf } from './scope.ts';
import { decideCopy, replacementIn, type Turnover, turnOver } from './turnover.ts';

type Desired = ReadonlyMap<Address, DesiredResource>;
type Recorded = ReadonlyMap<Address, RecordedResource>;
type Decisions = ReadonlyMap<Address, Decision>;

/**
 * The changes that lead from what is recorded and observed to what is desired. Pure, and linear in resources plus references. Throws
 * `protected_resource` and `mass_destroy` when more would be lost than is allowed, and `policy_denied` when a rule of the stack denies.
 */
export function computePlan(inputs: PlanInputs): Plan {
  const desired = new Map(inputs.desired.map((resource) => [resource.block.address, resource]));
  const recorded = new Map(inputs.recorded.map((resource) => [resource.state.address, resource]));
  const notes: Problem[] = [];
  const wanted = inputs.refreshOnly === true ? refreshAll(recorded, notes) : decideAll(inputs, desired, recorded);
  const limited = limit(inputs, wanted, desired, recorded);
  const { scope, outOfScope } = limited;

  const renames = likelyRenames(limited.decisions, desired, recorded);
  const hints = new Map(renames.map((rename) => [rename.from, moveEntry(rename)]));
  refuseUnwantedLosses(inputs, limited.decisions, desired, recorded, hints);
  for (const { from, to } of renames) notes.push(renameNote(from, to, desired));

  const turnover = turnOver(limited.decisions, desired, recorded);
  const { decisions } = turnover;
  const { order, after } = orderAlong([...decisions.keys()], ...edgesBetween(inputs, turnover));
  const changes = order.map((address): Change => {
    const change = changeOf(address, { inputs, turnover, desired, recorded, outOfScope });
    return Object.assign(change, { after: after.get(address) ?? [] });
  });
  const findings = judgeAll(inputs, changes, desired, turnover.recorded);

  const { id, environment, mode, stackDigest, createdAt } = inputs;
  const versions = inputs.recorded.map(({ state, version, from }) => ({ address: from ?? state.address, version }));
  const problems = [...inputs.problems, ...findings, ...notes, ...followNotes(inputs, decisions)];
  const limits = { ...(scope && { scope }), ...(inputs.refreshOnly === true && { refreshOnly: true as const }) };
  return { id, environment, mode, stackDigest, stateDigest: digestStates(versions), createdAt, changes, problems, ...limits };
}

interface Decided {
  readonly inputs: PlanInputs;
  readonly turnover: Turnover;
  readonly desired: Desired;
  readonly recorded: Recorded;
  readonly outOfScope: ReadonlySet<Address>;
}

function changeOf(address: Address, { inputs, turnover, desired, recorded, outOfScope }: Decided): Omit<Change, 'after'> {
  const { action, reason, fields } = turnover.decisions.get(address) as Decision;
  const record = turnover.recorded.get(address);
  const { kind, name } = desired.get(address)?.block ?? (record as RecordedResource).state;
  const replacement = turnover.replacements.get(address);
  const copyOf = record?.state.copy?.of;
  const version = recorded.get(address)?.version;
  const exists = (record?.state.id ?? '') !== '';
  const id = action === 'adopt' ? inputs.adopt?.get(address) : undefined;
  const left = outOfScope.has(address);
  const rollout = action === 'none' || action === 'delete' ? undefined : desired.get(address)?.rollout;
  return {
    address,
    kind,
    name,
    action,
    reason,
    fields,
    risk: riskOf(action, kind, record?.state.declared ?? {}, exists, desired.get(address)?.updateRisk),
    downtime: action === 'replace' && exists && replacement?.order !== 'create_first',
    ...(record?.from !== undefined && !left && { from: record.from }),
    ...(id !== undefined && { id }),
    ...(version !== undefined && { version }),
    ...(left && { outOfScope: true as const }),
    ...(replacement && { replacement }),
    ...(rollout && { rollout }),
    ...(copyOf !== undefined && { copyOf }),
  };
}

function decideAll(inputs: PlanInputs, desired: Desired, recorded: Recorded): Decisions {
  const decisions = new Map<Address, Decision>();
  const actions = new Map<Address, Action>();
  const states = Array.from(recorded.values(), ({ state }) => state);
  const { uses } = usersOf(states, oldCopies(states));
  for (const address of orderAlong([...desired.keys()], referenceEdges(inputs.desired)).order) {
    const id = inputs.adopt?.get(address);
    const adopted: Decision | undefined = id === undefined ? undefined : { action: 'adopt', reason: `takes over ${id}`, fields: [] };
    const decision =
      adopted ?? decide(desired.get(address) as DesiredResource, recorded.get(address), actions, copiedBy(uses.get(address)));
    decisions.set(address, decision);
    actions.set(address, decision.action);
  }
  const reason = inputs.mode === 'destroy' ? 'the environment is destroyed' : 'no longer in the stack';
  for (const [address, { state }] of recorded) {
    if (desired.has(address)) continue;
    const copy = state.copy && decideCopy(state.copy, replacementIn(state.copy.of, { decisions, desired, recorded })?.oldCopy === address);
    decisions.set(address, copy ?? { action: 'delete', reason, fields: [] });
  }
  return decisions;
}

/** The resources whose copies these are. */
function copiedBy(copies: readonly ResourceState[] = []): readonly Address[] {
  return copies.flatMap(({ copy }) => copy?.of ?? []);
}

function refreshAll(recorded: Recorded, notes: Problem[]): Decisions {
  return new Map(
    Array.from(recorded, ([address, record]) => {
      const refreshed = decideRefresh(record);
      notes.push(...refreshed.notes);
      return [address, refreshed.decision];
    }),
  );
}

/** The decisions within the limits of the plan; what lies outside is left as it is. */
function limit(
  { targets = [], excludes = [] }: PlanInputs,
  decisions: Decisions,
  desired: Desired,
  recorded: Recorded,
): { decisions: Decisions; scope?: Scope; outOfScope: ReadonlySet<Address> } {
  if (targets.length === 0 && excludes.length === 0) return { decisions, outOfScope: new Set() };
  const actionOf = (address: Address) => decisions.get(address)?.action;
  const { scope, includes } = scopeOf({ targets, excludes, desired, recorded, actionOf });
  const outOfScope = new Set([...decisions.keys()].filter((address) => !includes(address)));
  const limited = Array.from(decisions, ([address, decision]): [Address, Decision] => {
    if (!outOfScope.has(address)) return [address, decision];
    return [address, { action: 'none', reason: 'outside the limits of this plan', fields: [] }];
  });
  return { decisions: new Map(limited), scope, outOfScope };
}

function referenceEdges(desired: readonly DesiredResource[]): readonly Edge[] {
  return desired.flatMap(({ block }) =>
    block.references.filter(({ ordering }) => ordering).map(({ address }) => ({ earlier: address, later: block.address })),
  );
}

/**
 * Dependencies come before dependents, and go after everything that depended on them has gone or has turned to something else; so do old
 * copies. It is only a wish that what is replaced by deletion first outlives dependents that go: in some reshaped stacks that cannot be
 * had.
 */
function edgesBetween(inputs: PlanInputs, turnover: Turnover): readonly [readonly Edge[], readonly Edge[]] {
  const { decisions, states, replacements, usedBy } = turnover;
  const edges = [...referenceEdges(inputs.desired)];
  const wishes: Edge[] = [];
  for (const state of states) {
    const dependent = decisions.get(state.address)?.action;
    for (const dependency of state.dependencies) {
      const action = decisions.get(dependency)?.action;
      const edge = { earlier: state.address, later: dependency };
      if (action === 'delete') edges.push(edge);
      else if (action === 'replace' && dependent === 'delete' && replacements.get(dependency)?.order !== 'create_first') wishes.push(edge);
    }
  }
  for (const [copy, users] of usedBy) for (const user of users) edges.push({ earlier: user, later: copy });
  for (const [address, { oldCopy }] of replacements) if (oldCopy !== undefined) edges.push({ earlier: address, later: oldCopy });
  return [edges, wishes];
}

function judgeAll({ environment, policies = [] }: PlanInputs, changes: readonly Change[], desired: Desired, recorded: Recorded) {
  if (policies.length === 0) return [];
  const judged = judgedChanges(
    changes,
    (address) => desired.get(address)?.block,
    (address) => recorded.get(address)?.state.declared,
  );
  const findings = judge(environment, policies, judged);
  refuseDenied(findings);
  return findings;
}

function renameNote(from: Address, to: Address, desired: Desired): Problem {
  const position = desired.get(to)?.block.position;
  const parameters = { from: localAddress(from), to: localAddress(to), entry: moveEntry({ from, to }) };
  return problem('looks_like_rename', parameters, { severity: 'warning', address: to, ...(position && { position }) });
}

/** Says which unchanged resources read outputs of updated ones: they follow within the same apply should those outputs change. */
function followNotes(inputs: PlanInputs, decisions: Decisions): readonly Problem[] {
  return inputs.desired.flatMap(({ block, dependencyValues }) => {
    if (decisions.get(block.address)?.action !== 'none') return [];
    const updated = dependencyValues.find(({ reads, address }) => reads === 'output' && decisions.get(address)?.action === 'update');
    if (updated === undefined) return [];
    const { address } = block;
    return [problem('follows_dependency', { address, dependency: updated.address }, { severity: 'note', address })];
  });
}
