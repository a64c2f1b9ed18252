import type { Json } from '../../src/digest/json.ts';
import type { Address, Kind, Reference, ResolvedBlock, ResolvedStack } from '../../src/stack/stack.ts';

const position = { file: 'stack.yaml', line: 1, column: 1 };

/** `side` networks that each stand on every one of `side` resource groups: `side` squared references, as objects, past any file's limits. */
export function denseStack(side: number): ResolvedStack {
  const groups = Array.from({ length: side }, (_, index) => block('resource_group', `g${index}`, {}, []));
  const references = groups.map(
    ({ kind, name, address }, index): Reference => ({
      path: `on.${index}`,
      kind,
      name,
      address,
      ordering: true,
      position,
    }),
  );
  const networks = Array.from({ length: side }, (_, index) => block('network', `n${index}`, { index }, references));
  return {
    root: '/bench',
    files: ['stack.yaml'],
    environment: { name: 'bench', provider: 'simulated', fields: {} },
    environments: ['bench'],
    blocks: [...groups, ...networks],
  };
}

function block(kind: Kind, name: string, fields: Readonly<Record<string, Json>>, references: readonly Reference[]): ResolvedBlock {
  const address: Address = `bench/${kind}/${name}`;
  return { kind, name, address, fields: { name, ...fields }, references, position, positionOf: () => position, declares: () => true };
}
