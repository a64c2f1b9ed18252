import type { ServiceOverrides } from '../api/ports.ts';
import type { JsonObject } from '../digest/json.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { ResolvedStack } from '../stack/stack.ts';

/** The stack with one service as a command wants it. What it says is checked like the stack itself. Throws `service_not_declared`. */
export function overridden(stack: ResolvedStack, overrides: ServiceOverrides | undefined): ResolvedStack {
  if (!overrides) return stack;
  const { service, env, source, image } = overrides;
  if (!stack.blocks.some(({ kind, name }) => kind === 'service' && name === service)) {
    const names = stack.blocks.filter(({ kind }) => kind === 'service').map(({ name }) => name);
    throw sluiceError('service_not_declared', { service, names });
  }
  const blocks = stack.blocks.map((block) => {
    if (block.kind !== 'service' || block.name !== service) return block;
    const declared = (block.fields['env'] ?? {}) as JsonObject;
    // What is wrong with what the command says is not in the file.
    const code = Object.entries({ source, image }).flatMap(([field, given]) => (given === undefined ? [] : [field]));
    const given = new Set([...code, ...Object.keys(env ?? {}).map((variable) => `env.${variable}`)]);
    return {
      ...block,
      fields: { ...withCode(block.fields, overrides), env: { ...declared, ...env } },
      positionOf: (field: string) =>
        given.has(field) ? { file: `--${field.split('.')[0]}`, line: 1, column: 1 } : block.positionOf(field),
    };
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
