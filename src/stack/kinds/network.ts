import { z } from 'zod';
import { problem, type Problem } from '../../errors/sluice-error.ts';
import { cidr, parseCidr, rangeContains, rangesOverlap } from '../fields/addresses.ts';
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
  const problems: Problem[] = [];
  for (const [index, subnet] of subnets.entries()) {
    const range = parseCidr(subnet.address_prefix);
    const position = block.positionOf(`subnets.${index}.address_prefix`);
    if (space === undefined || range === undefined) continue;
    if (!rangeContains(space, range)) {
      problems.push(
        problem('subnet_outside_network', { subnet: subnet.name, range: subnet.address_prefix, space: address_space }, { position }),
      );
    }
    for (const earlier of subnets.slice(0, Math.min(index, 256))) {
      const other = parseCidr(earlier.address_prefix);
      if (earlier.name === subnet.name) {
        problems.push(problem('duplicate_subnet', { subnet: subnet.name }, { position: block.positionOf(`subnets.${index}.name`) }));
      } else if (other !== undefined && rangesOverlap(range, other)) {
        problems.push(problem('subnets_overlap', { subnet: subnet.name, other: earlier.name }, { position }));
      }
    }
  }
  return problems;
}
