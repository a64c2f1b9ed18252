import { join, relative, sep } from 'node:path';
import type { PlanRequest } from '../../api/schemas/plan.ts';
import type { Client } from '../../api/client.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { hasChanges, type Plan } from '../../plan/plan.ts';
import { locatedError } from '../diagnostics/located.ts';
import type { StackTarget } from '../target/target.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { secretVariablesFor } from './secret-variables.ts';

export interface PlanWishes {
  readonly environment: string | undefined;
  readonly var: Readonly<Record<string, string>>;
  readonly allowDestroy?: readonly string[];
  readonly allowMassDestroy?: boolean;
  readonly target?: readonly string[];
  readonly exclude?: readonly string[];
  readonly refreshOnly?: boolean;
  readonly adopt?: readonly { readonly address: string; readonly id: string }[];
  /** Of one service, until it is applied without them. */
  readonly overrides?: PlanRequest['overrides'];
  /** The plan is kept for a later apply. */
  readonly save?: boolean;
}

/** The environment a command runs in. */
type Shell = Terminal['environment'];

/** Lets the control plane make a plan. Rejects with `plan_refused` and all findings when there is none. */
export async function makePlan(client: Client, target: StackTarget, mode: Plan['mode'], wishes: PlanWishes, shell: Shell): Promise<Plan> {
  // Relative to the folder the control plane serves, which may have been started for another one.
  const [{ root }, secretVariables] = await Promise.all([
    client.status(),
    mode === 'apply' ? secretVariablesFor(target, wishes, shell) : {},
  ]);
  const request: PlanRequest = {
    stack: relative(root, target.path) || '.',
    mode,
    ...(wishes.environment !== undefined && { environment: wishes.environment }),
    ...(Object.keys(wishes.var).length > 0 && { variables: wishes.var }),
    ...(Object.keys(secretVariables).length > 0 && { secretVariables }),
    ...some('allowDestroy', wishes.allowDestroy),
    ...(wishes.allowMassDestroy === true && { allowMassDestroy: true }),
    ...some('targets', wishes.target),
    ...some('excludes', wishes.exclude),
    ...(wishes.refreshOnly === true && { refreshOnly: true }),
    ...some('adopt', wishes.adopt),
    ...(wishes.overrides && { overrides: wishes.overrides }),
    ...(wishes.save === true && { save: true }),
  };
  return client.createPlan(request).catch((thrown: unknown) => {
    throw locatedError(thrown, root);
  });
}

function some<Name extends string, Item>(name: Name, items: readonly Item[] = []): { readonly [Key in Name]?: Item[] } {
  return items.length === 0 ? {} : ({ [name]: [...items] } as { readonly [Key in Name]: Item[] });
}

export async function showPlan(plan: Plan, terminal: Terminal, json: boolean): Promise<void> {
  const { renderPlan } = await import('../../plan/render.ts');
  const channel = json ? terminal.err : terminal.out;
  const text = renderPlan(plan, { color: channel.colors.isColorSupported, folder: join(process.cwd(), sep) });
  channel.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** The question a plan raises before it may be applied; undefined when it only adds and updates. */
export function questionOf(plan: Plan): string | undefined {
  if (!hasChanges(plan)) return undefined;
  const lost = plan.changes.filter(({ action }) => action === 'delete' || action === 'replace');
  if (lost.length === 0) return undefined;
  const names = lost.slice(0, 3).map(({ action, address }) => `${action} ${address}`);
  const more = lost.length > names.length ? ` and ${lost.length - names.length} more` : '';
  return `${plan.mode === 'destroy' ? 'Destroy' : 'Apply'}: ${names.join(', ')}${more}?`;
}

/** The single environment a stack has or the command names; for commands about one thing. */
export async function environmentsOf(client: Client, wanted: string | undefined): Promise<readonly string[]> {
  const { environments } = await client.status();
  const names = environments.map(({ name }) => name);
  if (wanted === undefined) return names;
  if (names.includes(wanted)) return [wanted];
  throw sluiceError('usage', {
    reason: `There is no environment '${wanted}' here${names.length > 0 ? `, but ${names.join(', ')}` : '; nothing has been applied yet'}.`,
  });
}
