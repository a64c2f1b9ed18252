import { z } from 'zod';
import { problem, type Problem, type SourcePosition } from '../../errors/sluice-error.ts';
import { type AddressRange, cidr, parseCidr, rangeContains } from '../fields/addresses.ts';
import { blockName, label, refersTo } from '../fields/names.ts';
import { defineKind } from './kind-spec.ts';
import type { ResolvedBlock } from '../stack.ts';

const schema = z.strictObject({
  name: blockName('network'),
  resource_group_name: refersTo('resource_group', { ordering: true }).optional().describe('Resource group it belongs to.'),
  address_space: cidr().describe('Addresses of the whole network.'),
  subnets: z
    .array(
      z.strictObject({
        name: label().describe('Name of the subnet, unique in its network.'),
        address_prefix: cidr().describe('Addresses of the subnet, inside the address space.'),
      }),
    )
    .default([])
    .describe('Parts of the network; they must not overlap.'),
});

export const network = defineKind({
  kind: 'network',
  summary: 'A private network and its subnets.',
  schema,
  outputs: {},
  example: `network:
  name: agents
  address_space: 10.0.0.0/16
  subnets:
    - { name: compute, address_prefix: 10.0.0.0/24 }
`,
  check: (blocks) => blocks.flatMap(checkSubnets),
});

export type NetworkFields = z.output<typeof schema>;

function checkSubnets(block: ResolvedBlock): Problem[] {
  const { address_space, subnets } = block.fields as unknown as NetworkFields;
  const space = parseCidr(address_space);
  const names = new Set<string>();
  const placed: PlacedSubnet[] = [];
  const problems: Problem[] = [];
  for (const [index, { name, address_prefix }] of subnets.entries()) {
    const range = parseCidr(address_prefix);
    const position = block.positionOf(`subnets.${index}.address_prefix`);
    if (names.has(name)) {
      problems.push(problem('duplicate_subnet', { subnet: name }, { position: block.positionOf(`subnets.${index}.name`) }));
    }
    names.add(name);
    if (range) placed.push({ name, range, position });
    if (space && range && !rangeContains(space, range)) {
      problems.push(problem('subnet_outside_network', { subnet: name, range: address_prefix, space: address_space }, { position }));
    }
  }
  return [...problems, ...overlaps(placed)];
}

interface PlacedSubnet {
  readonly name: string;
  readonly range: AddressRange;
  readonly position: SourcePosition;
}

/** In the order of their first addresses, a subnet overlaps an earlier one exactly when it starts before the farthest end so far. */
function overlaps(subnets: readonly PlacedSubnet[]): Problem[] {
  const problems: Problem[] = [];
  let farthest: PlacedSubnet | undefined;
  for (const subnet of subnets.toSorted((left, right) => left.range.first - right.range.first)) {
    const { name, range, position } = subnet;
    if (farthest && range.first <= farthest.range.last) {
      problems.push(problem('subnets_overlap', { subnet: name, other: farthest.name }, { position }));
    }
    if (!farthest || range.last > farthest.range.last) farthest = subnet;
  }
  return problems;
}
