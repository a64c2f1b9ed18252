import type { Json, JsonObject } from '../digest/json.ts';
import type { AuditEntry } from '../audit/audit-record.ts';
import type { Endpoint } from './endpoint.ts';
import type { Call } from './handler.ts';
import type { ApiDependencies } from './ports.ts';

/**
 * Records a change before it is made and how it ended after it. When the first record cannot be written nothing is done; when the second
 * one is missing, the control plane ended in between.
 */
export async function audited<Result>(
  row: Endpoint,
  call: Call<Endpoint>,
  { audit, secrets }: Pick<ApiDependencies, 'audit' | 'secrets'>,
  work: () => Promise<Result>,
): Promise<Result> {
  if (row.method === 'get' || row.audit === 'itself' || row.audit === 'no_change') return work();
  const begun = entryOf(row, call);
  const { sequence } = await audit.append({ ...begun, phase: 'begun' });
  try {
    const result = await work();
    await audit.append({ ...begun, phase: 'ended', of: sequence, outcome: 'succeeded', ...made(result) });
    return result;
  } catch (thrown) {
    await audit.append({ ...begun, phase: 'ended', of: sequence, outcome: 'failed', error: secrets.scrubError(thrown).code });
    throw thrown;
  }
}

/** Who did it, as the audit log names them. */
export function auditActor(actor: { readonly key: string; readonly name: string } | undefined): AuditEntry['actor'] {
  return actor === undefined ? { name: 'anonymous' } : { name: actor.name, key: actor.key };
}

function entryOf(row: Endpoint, call: Call<Endpoint>): Omit<AuditEntry, 'phase'> {
  const given = typeof row.audit === 'object' ? row.audit : { action: `${row.method.toUpperCase()} ${row.path}`, details: [] };
  const parameters = (call.parameters ?? {}) as Readonly<Record<string, string>>;
  const { environment, kind = 'service', name, id } = parameters;
  const body = (call.body ?? {}) as JsonObject;
  const details = Object.fromEntries(
    (given.details ?? []).flatMap((field): [string, Json][] => (body[field] === undefined ? [] : [[field, body[field]]])),
  );
  const target = id ?? (name === undefined ? undefined : `${environment}/${kind}/${name}`);
  return {
    actor: auditActor(call.actor),
    action: given.action,
    ...(environment !== undefined && { environment }),
    ...(target !== undefined && { target }),
    ...(call.reason !== undefined && { reason: call.reason }),
    ...(Object.keys(details).length > 0 && { details }),
  };
}

/** The id of what was made, where the request could not name it: a new key. */
function made(result: unknown): Pick<AuditEntry, 'target'> {
  const id = (result as { details?: { id?: unknown } } | undefined)?.details?.id;
  return typeof id === 'string' ? { target: id } : {};
}
