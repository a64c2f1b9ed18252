import type { JsonObject } from '../../digest/json.ts';
import type { Problem } from '../../errors/sluice-error.ts';
import type { Kind, ResolvedBlock } from '../../stack/stack.ts';
import type { Applied, CreateRequest } from '../provider.ts';
import type { LocalContext, ResourceHandler } from './resource-handler.ts';
import { resourceId } from './resource-names.ts';

interface RecordedKind {
  readonly kind: Kind;
  readonly replaceFields?: readonly string[];
  check(block: ResolvedBlock): readonly Problem[];
  /** Outputs, none of them secret. */
  outputs(fields: JsonObject): JsonObject;
}

/** A kind that is nothing on this machine but its record: it exists as soon as it is written down. */
export function createRecordedHandler(context: LocalContext, spec: RecordedKind): ResourceHandler {
  async function record(request: CreateRequest, id: string, operation: string): Promise<Applied> {
    await context.records.put(request.address, { id, operation, phase: 'made', details: {} });
    const outputs = Object.entries(spec.outputs(request.fields)).map(([name, value]) => [name, { value, secret: false }] as const);
    return { id, outputs: Object.fromEntries(outputs) };
  }

  return {
    kind: spec.kind,
    replaceFields: spec.replaceFields ?? [],
    coexistence: { exclusive: [] },
    check: async (block) => spec.check(block),
    read: async (resource) => ((await context.records.get(resource.address)) ? { status: 'present', drift: [] } : { status: 'absent' }),
    async create(request, operation) {
      const existing = await context.records.get(request.address);
      return record(request, existing?.id ?? resourceId(request.address, operation.id), operation.id);
    },
    update: (request, operation) => record(request, request.current.id || resourceId(request.address, operation.id), operation.id),
    delete: (resource) => context.records.remove(resource.address),
  };
}
