import { z } from 'zod';
import { problem, type Problem } from '../../errors/sluice-error.ts';
import { ipAddress, parseCidr, parseIPv4 } from '../fields/addresses.ts';
import { blockName, label, refersTo, subnetName } from '../fields/names.ts';
import { text } from '../fields/text.ts';
import type { ResolvedBlock } from '../stack.ts';
import { nearestName } from '../suggest.ts';
import { type CheckContext, defineKind } from './kind-spec.ts';
import type { NetworkFields } from './network.ts';

const schema = z.strictObject({
  name: blockName('virtual_machine'),
  resource_group_name: refersTo('resource_group', { ordering: true }).optional().describe('Resource group it belongs to.'),
  size: text(64).describe(
    'Size from the catalogue of the provider, such as Standard_D8s_v3: it says how many processors and how much memory.',
  ),
  image: text(256).describe('Operating system image, such as UbuntuServer:20.04-LTS:latest.'),
  network_interface: z
    .strictObject({
      name: label().optional().describe('Name of the interface.'),
      subnet: subnetName().optional().describe('Subnet of a network of this stack.'),
      private_ip: ipAddress().optional().describe('Fixed address in the subnet; one is chosen when absent.'),
      public_ip: z.enum(['none', 'static', 'dynamic']).default('none').describe('Whether it has an address on the internet.'),
    })
    .prefault({})
    .describe('How it is connected.'),
});

export const virtualMachine = defineKind({
  kind: 'virtual_machine',
  summary: 'A machine that services run on.',
  schema,
  outputs: {
    address: { description: 'Address on which what runs there is reached.', secret: false },
    private_ip: { description: 'Address in its network.', secret: false },
    cpus: { description: 'Number of processors.', secret: false },
    memory_bytes: { description: 'Memory in bytes.', secret: false },
  },
  example: `virtual_machine:
  name: agents-01
  size: Standard_D8s_v3
  image: "UbuntuServer:20.04-LTS:latest"
  network_interface: { name: agents-nic-01, private_ip: 10.0.0.4, public_ip: none }
`,
  check: checkInterfaces,
});

export type VirtualMachineFields = z.output<typeof schema>;

type Interface = VirtualMachineFields['network_interface'];
type Subnets = ReadonlyMap<string, string>;

function checkInterfaces(blocks: readonly ResolvedBlock[], context: CheckContext): Problem[] {
  const networks = context.blocksOf('network').map(({ fields }) => fields as unknown as NetworkFields);
  const subnets: Subnets = new Map(
    networks.flatMap((network) => network.subnets.map(({ name, address_prefix }) => [name, address_prefix])),
  );
  const holders = new Map<string, string>();
  return blocks.flatMap((block) => {
    const { network_interface: nic } = block.fields as unknown as VirtualMachineFields;
    return [...checkSubnet(block, nic, subnets), ...checkRange(block, nic, subnets), ...checkTaken(block, nic, holders)];
  });
}

function checkSubnet(block: ResolvedBlock, nic: Interface, subnets: Subnets): Problem[] {
  if (nic.subnet === undefined || subnets.has(nic.subnet)) return [];
  const position = block.positionOf('network_interface.subnet');
  return [problem('unknown_subnet', { subnet: nic.subnet, nearest: nearestName(nic.subnet, subnets.keys()) }, { position })];
}

function checkRange(block: ResolvedBlock, nic: Interface, subnets: Subnets): Problem[] {
  const prefix = subnets.get(nic.subnet ?? '');
  const range = parseCidr(prefix ?? '');
  const address = parseIPv4(nic.private_ip ?? '');
  if (nic.subnet === undefined || nic.private_ip === undefined || prefix === undefined || !range || address === undefined) return [];
  if (range.first <= address && address <= range.last) return [];
  const position = block.positionOf('network_interface.private_ip');
  return [problem('address_outside_subnet', { address: nic.private_ip, subnet: nic.subnet, range: prefix }, { position })];
}

function checkTaken(block: ResolvedBlock, nic: Interface, holders: Map<string, string>): Problem[] {
  if (nic.private_ip === undefined) return [];
  const key = `${nic.subnet ?? ''}/${nic.private_ip}`;
  const holder = holders.get(key);
  holders.set(key, holder ?? block.name);
  if (holder === undefined) return [];
  return [problem('address_taken', { address: nic.private_ip, holder }, { position: block.positionOf('network_interface.private_ip') })];
}
