import type { ServiceOverrides } from '../api/ports.ts';
import type { JsonObject } from '../digest/json.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { ResolvedStack } from '../stack/stack.ts';

/** The stack with one service as a command wants it. What it says is checked like the stack itself. Throws `service_not_declared`. */
export function overridden(stack: ResolvedStack, overrides: ServiceOverrides | undefined): ResolvedStack {
  if (!overrides) return stack;
  const { service, env } = overrides;
  if (!stack.blocks.some(({ kind, name }) => kind === 'service' && name === service)) {
    const names = stack.blocks.filter(({ kind }) => kind === 'service').map(({ name }) => name);
    throw sluiceError('service_not_declared', { service, names });
  }
  const blocks = stack.blocks.map((block) => {
    if (block.kind !== 'service' || block.name !== service) return block;
    const declared = (block.fields['env'] ?? {}) as JsonObject;
    return { ...block, fields: { ...withCode(block.fields, overrides), env: { ...declared, ...env } } };
  });
  return { ...stack, blocks };
}

/** An image comes with its own command: the one that starts the code of a folder goes with the folder. */
function withCode(fields: JsonObject, { source, image }: ServiceOverrides): JsonObject {
  const { source: _, image: declaredImage, command, ...others } = fields;
  const own: JsonObject = command === undefined ? {} : { command };
  if (source !== undefined) return { ...others, source, ...own };
  if (image !== undefined) return { ...others, image, ...(declaredImage === undefined ? {} : own) };
  return fields;
}
