import { authorize } from '../../access/guard.ts';
import { allows } from '../../access/roles.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { Evaluator } from '../../flags/ofrep/answers.ts';
import type { ServiceIdentity } from '../../rollout/service-identities.ts';
import type { ApiDependencies } from '../ports.ts';
import type { Asked } from './exchange.ts';

/** Who asks for flags, once it is certain that they may. */
export interface KnownEvaluator extends Evaluator {
  /** The id of a key or the address of a service: whose budget it is, and to whom a ticket is given. */
  readonly holder: string;
}

type Doors = Pick<ApiDependencies, 'keyring' | 'evaluation'>;

/**
 * By a key that may evaluate or by a service's own token, in `Authorization: Bearer` or `X-API-Key`. A service sees its own environment,
 * a key the one it is bound to, else the one it names in `X-Sluice-Environment`, else the only one that has flags. Throws
 * `unauthenticated`, `forbidden`, `environment_forbidden`, `environment_unclear`.
 */
export async function evaluatorOf({ headers }: Pick<Asked, 'headers'>, { keyring, evaluation }: Doors): Promise<KnownEvaluator> {
  const [, bearer] = /^Bearer ([^\s]{1,128})$/i.exec(headers.get('authorization') ?? '') ?? [];
  const secret = bearer ?? headers.get('x-api-key') ?? '';
  const wanted = headers.get('x-sluice-environment') ?? undefined;
  const service = await evaluation.services.ofToken(secret);
  if (service !== undefined) {
    if (wanted !== undefined && wanted !== service.environment) throw sluiceError('environment_forbidden', { environment: wanted });
    return ofService(service, headers.get('x-sluice-release') ?? undefined);
  }
  const actor = await authorize(keyring, `Bearer ${secret}`, 'evaluate');
  if (actor.environment !== undefined && wanted !== undefined && wanted !== actor.environment) {
    throw sluiceError('environment_forbidden', { environment: wanted });
  }
  const environment = actor.environment ?? wanted ?? (await onlyEnvironment(evaluation));
  return { environment, holder: actor.key };
}

/** The holder of a ticket, if it still may. */
export async function ticketHolder(ticket: string, { keyring, evaluation }: Doors): Promise<KnownEvaluator> {
  const known = evaluation.tickets.read(ticket);
  if (known === undefined || !(await mayStill(known, { keyring, evaluation }))) throw sluiceError('unauthenticated', {});
  return known;
}

/** Whether a key or service that was let in would still be. */
export async function mayStill({ environment, holder }: KnownEvaluator, { keyring, evaluation }: Doors): Promise<boolean> {
  if (holder.includes('/')) return (await evaluation.services.ofAddress(holder))?.environment === environment;
  const actor = await keyring.holder(holder);
  return actor !== undefined && allows(actor.role, 'evaluate') && (actor.environment ?? environment) === environment;
}

/** An instance says which release it runs; what is not a release of its service is not believed. */
function ofService({ address, environment, name, releases, release }: ServiceIdentity, claimed: string | undefined): KnownEvaluator {
  const attributed = claimed !== undefined && releases.has(claimed) ? claimed : release;
  return { environment, holder: address, service: name, ...(attributed !== undefined && { release: attributed }) };
}

async function onlyEnvironment({ sets }: Doors['evaluation']): Promise<string> {
  const environments = await sets.environments();
  const [only] = environments;
  if (only === undefined || environments.length > 1) throw sluiceError('environment_unclear', {});
  return only;
}
