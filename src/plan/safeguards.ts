import { type Problem, problem, sluiceError } from '../errors/sluice-error.ts';
import { isStateful } from '../stack/kinds/index.ts';
import type { Address } from '../stack/stack.ts';
import { type Decision, localAddress } from './decide.ts';
import type { DesiredResource, PlanInputs, RecordedResource } from './inputs.ts';

/**
 * Throws `protected_resource` when something protected or stateful would be deleted or replaced without being named, and `mass_destroy`
 * when too much would be deleted at once; both say exactly what to pass. Destroying a whole environment is itself the wish for all but
 * what is protected.
 */
export function refuseUnwantedLosses(
  inputs: Pick<PlanInputs, 'mode' | 'allowDestroy' | 'allowMassDestroy'>,
  decisions: ReadonlyMap<Address, Decision>,
  desired: ReadonlyMap<Address, DesiredResource>,
  recorded: ReadonlyMap<Address, RecordedResource>,
  hints: ReadonlyMap<Address, string>,
): void {
  const allowed = new Set(inputs.allowDestroy);
  const losses: { readonly address: Address; readonly why: 'protected' | 'stateful'; readonly problem: Problem }[] = [];
  for (const [address, { action, reason }] of decisions) {
    if ((action !== 'delete' && action !== 'replace') || allowed.has(address)) continue;
    const state = recorded.get(address)?.state;
    if (state === undefined || state.id === '' || (state.copy !== undefined && allowed.has(state.copy.of))) continue;
    const block = desired.get(address)?.block;
    const isProtected = state.declared['protect'] === true || block?.fields['protect'] === true;
    const why = isProtected ? 'protected' : 'stateful';
    if (!isProtected && (inputs.mode === 'destroy' || !isStateful(state.kind, state.declared))) continue;
    const position = isProtected ? block?.positionOf('protect') : block?.position;
    const flags = [flagFor(address)];
    const hint = hints.get(address) ?? '';
    losses.push({
      address,
      why,
      problem: problem('protected_resource', { address, action, reason, why, flags, hint }, { address, ...(position && { position }) }),
    });
  }
  const mass = massOf(inputs, decisions, recorded);
  const flags = [...losses.map(({ address }) => flagFor(address)), ...(mass ? [massFlag] : [])];
  const problems = [...losses.map((loss) => loss.problem), ...(mass ? [problem('mass_destroy', { ...mass, flags: [massFlag] })] : [])];
  const [first] = losses;
  if (first) {
    const { action, reason } = decisions.get(first.address) as Decision;
    const { address, why } = first;
    const hint = hints.get(address) ?? '';
    throw sluiceError('protected_resource', { address, action, reason, why, flags, hint, more: losses.length - 1 }, { problems });
  }
  if (mass) throw sluiceError('mass_destroy', { ...mass, flags }, { problems });
}

const massFlag = '--allow-mass-destroy';

function flagFor(address: Address): string {
  return `--allow-destroy ${localAddress(address)}`;
}

/** How much would go, when it is all there is or more than half of it. */
function massOf(
  { mode, allowMassDestroy }: Pick<PlanInputs, 'mode' | 'allowMassDestroy'>,
  decisions: ReadonlyMap<Address, Decision>,
  recorded: ReadonlyMap<Address, RecordedResource>,
): { readonly deleted: number; readonly recorded: number } | undefined {
  if (mode === 'destroy' || allowMassDestroy === true) return undefined;
  const real = [...recorded.values()].filter(({ state }) => state.id !== '' && state.copy === undefined);
  const deleted = real.filter(({ state }) => decisions.get(state.address)?.action === 'delete').length;
  return deleted * 2 > real.length ? { deleted, recorded: real.length } : undefined;
}
