import type { JsonObject } from '../../../digest/json.ts';
import { problem, SluiceError, sluiceError, type Problem } from '../../../errors/sluice-error.ts';
import { fieldsOf, type SecretFields } from '../../../stack/kinds/index.ts';
import type { ResolvedBlock, ResolvedStack } from '../../../stack/stack.ts';
import type { Applied, CreateRequest, Drift } from '../../provider.ts';
import type { ResourceState } from '../../resource-state.ts';
import type { LocalContext, ResourceHandler } from '../resource-handler.ts';
import { resourceId } from '../resource-names.ts';
import { isOutside, readSource } from './secret-source.ts';

/**
 * A secret from outside is read when it is applied; its keyed digest is the fingerprint, so that a changed value shows in the plan as
 * changed content. A generated one is derived from the key of this home and the id of the secret (see DerivedSecrets): it stays for as
 * long as the secret exists, and changes only with its length.
 */
export function createSecretHandler(context: LocalContext): ResourceHandler {
  async function bring(request: CreateRequest, id: string, operation: string): Promise<Applied> {
    const { value: source } = fieldsOf(request, 'secret');
    const value = await valueOf(request, source, id);
    await context.records.put(request.address, { id, operation, phase: 'made', details: {} });
    return { id, outputs: { value: { value, secret: true } } };
  }

  async function valueOf(request: CreateRequest, source: SecretFields['value'], id: string): Promise<string> {
    if (isOutside(source)) return readSource(request.name, source, { root: request.root, environment: variablesOf(request.environment) });
    if ('generated' in source) return context.secrets.derive(id, 'secret', source.generated.length);
    throw sluiceError('unsupported_field', { kind: 'secret', field: 'value.encrypted' });
  }

  const variablesOf = (environment: string) => context.secretVariables.of(environment);

  /** Whether the file or variable a secret is from holds another value than was applied. Values are never told. */
  async function changedSource({ declared, environment, fingerprint, name, root }: ResourceState): Promise<Drift | undefined> {
    const { value: source } = declared as unknown as SecretFields;
    const applied = fingerprint['value'];
    if (!isOutside(source) || applied === undefined) return undefined;
    const value = await readSource(name, source, { root, environment: variablesOf(environment) }).catch((error: unknown) =>
      error instanceof SluiceError ? undefined : Promise.reject(error),
    );
    if (value === undefined) return { field: 'value', applied: 'as applied', observed: 'its source is gone' };
    return (await context.secrets.fingerprint(value)) === applied
      ? undefined
      : { field: 'value', applied: 'as applied', observed: 'changed at its source' };
  }

  return {
    kind: 'secret',
    replaceFields: [],
    check: (block, stack) => checkSecret(context, block, stack),

    async fingerprint(block, stack): Promise<JsonObject> {
      const { value: source } = fieldsOf(block, 'secret');
      if (!isOutside(source)) return {};
      const from = { root: stack.root, environment: variablesOf(stack.environment.name) };
      // `check` is where a source that cannot be read is reported, with its position.
      const value = await readSource(block.name, source, from).catch((error: unknown) =>
        error instanceof SluiceError ? undefined : Promise.reject(error),
      );
      return value === undefined ? {} : { value: await context.secrets.fingerprint(value) };
    },

    async read(resource) {
      if (!(await context.records.get(resource.address))) return { status: 'absent' };
      const sources = await changedSource(resource);
      return { status: 'present', drift: [], ...(sources && { sources: [sources] }) };
    },

    async create(request, operation) {
      const record = await context.records.get(request.address);
      return bring(request, record?.id ?? resourceId(request.address, operation.id), operation.id);
    },
    update: (request, operation) => bring(request, request.current.id || resourceId(request.address, operation.id), operation.id),
    delete: (resource) => context.records.remove(resource.address),
  };
}

async function checkSecret(context: LocalContext, block: ResolvedBlock, stack: ResolvedStack): Promise<readonly Problem[]> {
  const { value: source } = fieldsOf(block, 'secret');
  const where = { position: block.positionOf('value'), address: block.address };
  if ('encrypted' in source) return [problem('unsupported_field', { kind: 'secret', field: 'value.encrypted' }, where)];
  if (!isOutside(source)) return [];
  const environment = context.secretVariables.of(stack.environment.name);
  if ('env' in source && source.optional && environment[source.env] === undefined) {
    const how = `${source.env} is not set, neither in this shell nor in the one that started the control plane, so the optional secret is empty`;
    return [problem('enforced_differently', { field: `secret ${block.name}`, how }, { ...where, severity: 'note' })];
  }
  try {
    await readSource(block.name, source, { root: stack.root, environment });
    return [];
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return [{ severity: 'error', code: error.code, message: error.message, help: error.help, ...where }];
  }
}
