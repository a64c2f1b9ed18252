import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { problem, type Problem, sluiceError } from '../../../errors/sluice-error.ts';
import { fieldsOf, type VirtualMachineFields } from '../../../stack/kinds/index.ts';
import type { Address, ResolvedBlock, ResolvedStack } from '../../../stack/stack.ts';
import type { Applied, CreateRequest } from '../../provider.ts';
import { removeEmptyFolders } from '../records.ts';
import type { LocalContext, ResourceHandler } from '../resource-handler.ts';
import { resourceFolder, resourceId } from '../resource-names.ts';
import { checkCapacity, inGib } from './capacity.ts';
import { cgroupSupport, type CgroupSupport } from './cgroup-support.ts';
import { limitGroups, limitsDrift, machineGroups, removeGroups } from './cgroups.ts';
import { canListenOn, loopbackFor, privateIpFor } from './loopback.ts';
import { machineSize, type MachineSize, nearestSizes } from './sizes.ts';

/** What the record of a machine holds. */
interface MachineDetails {
  readonly address: string;
  readonly privateIp: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly cgroups: readonly string[];
}

/**
 * A virtual machine is a sandbox on this machine: a loopback address and a folder of its own, and, where the system allows it, control
 * groups that hold everything in it to the size's processors and memory.
 */
export function createVirtualMachineHandler(context: LocalContext, support: CgroupSupport = cgroupSupport()): ResourceHandler {
  const owner = createHash('sha256').update(context.home).digest('hex').slice(0, 12);
  const folderOf = (address: Address): string => resourceFolder(context.home, 'machines', address);
  const groupsOf = (address: Address): readonly string[] => machineGroups(support, owner, groupName(address));
  const oneAtATime = createQueue();

  async function bring(request: CreateRequest, id: string, operation: string): Promise<Applied> {
    const fields = fieldsOf(request, 'virtual_machine');
    const size = sizeOf(fields);
    const place = await context.records.placeOf(request.address);
    const directory = folderOf(place);
    // Two machines of one plan must not be given the same address.
    const details = await oneAtATime(async () => {
      const addresses = await chooseAddress(request.address, id, fields.network_interface.private_ip);
      const chosen: MachineDetails = { ...addresses, cpus: size.cpus, memoryBytes: size.memoryBytes, cgroups: groupsOf(place) };
      await context.records.put(request.address, { id, operation, phase: 'making', details: { ...chosen } });
      return chosen;
    });
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await limitGroups(support, details.cgroups, details);
    await context.records.put(request.address, { id, operation, phase: 'made', details: { ...details } });
    const outputs = {
      address: details.address,
      private_ip: details.privateIp,
      cpus: details.cpus,
      memory_bytes: details.memoryBytes,
      directory,
      cgroups: details.cgroups,
    };
    return { id, outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, { value, secret: false }])) };
  }

  /** A machine keeps its address as long as it keeps its private one: instances listen on it. */
  async function chooseAddress(
    machine: Address,
    id: string,
    declared: string | undefined,
  ): Promise<{ address: string; privateIp: string }> {
    const privateIp = declared ?? privateIpFor(id);
    const known = (await context.records.get(machine))?.details as unknown as MachineDetails | undefined;
    if (known?.privateIp === privateIp && (await canListenOn(known.address))) return { address: known.address, privateIp };
    const others = (await context.records.list('virtual_machine')).filter(({ address }) => address !== machine);
    const taken = new Set(others.map(({ record }) => record.details['address'] as string));
    const own = loopbackFor(privateIp, taken);
    return { address: (await canListenOn(own)) ? own : '127.0.0.1', privateIp };
  }

  return {
    kind: 'virtual_machine',
    replaceFields: ['network_interface.private_ip'],
    check: (block, stack) => checkMachine(block, stack, support),

    async read(resource) {
      const record = await context.records.get(resource.address);
      const place = await context.records.placeOf(resource.address);
      if (!record || !existsSync(folderOf(place))) return { status: 'absent' };
      const { cpus, memoryBytes } = record.details as unknown as MachineDetails;
      return { status: 'present', drift: await limitsDrift(support, groupsOf(place), { cpus, memoryBytes }) };
    },

    async create(request, operation) {
      const record = await context.records.get(request.address);
      return bring(request, record?.id ?? resourceId(request.address, operation.id), operation.id);
    },

    update: (request, operation) => bring(request, request.current.id || resourceId(request.address, operation.id), operation.id),

    async delete(resource) {
      const place = await context.records.placeOf(resource.address);
      const folder = folderOf(place);
      await removeGroups(groupsOf(place), resource.name, context.clock);
      await rm(folder, { recursive: true, force: true });
      await removeEmptyFolders(dirname(folder), context.home);
      await context.records.remove(resource.address);
    },

    /** Control groups do not outlive a restart of the system. */
    async resume(resource) {
      const record = await context.records.get(resource.address);
      const { cpus, memoryBytes } = (record?.details ?? {}) as unknown as MachineDetails;
      if (record) await limitGroups(support, groupsOf(record.madeAs ?? resource.address), { cpus, memoryBytes });
    },
  };
}

async function checkMachine(block: ResolvedBlock, stack: ResolvedStack, support: CgroupSupport): Promise<readonly Problem[]> {
  const fields = fieldsOf(block, 'virtual_machine');
  const at = (path: string): Pick<Problem, 'position' | 'address'> => ({ position: block.positionOf(path), address: block.address });
  const size = machineSize(fields.size);
  if (!size) return [problem('unknown_machine_size', { size: fields.size, nearest: nearestSizes(fields.size) }, at('size'))];
  const { private_ip: privateIp, public_ip: publicIp } = fields.network_interface;
  const problems: Problem[] = [...checkCapacity(block, size, stack)];
  if (publicIp !== 'none') {
    const unsupported = { kind: block.kind, field: 'network_interface.public_ip', value: publicIp };
    problems.push(problem('unsupported_field', unsupported, at('network_interface.public_ip')));
  }
  const note = (field: string, reason: string): number =>
    problems.push(problem('not_enforced', { kind: block.kind, field, reason }, { ...at(field), severity: 'note' }));
  note('image', "services run on this machine's own operating system");
  if (support.version === 'none') note('size', support.reason);
  const shortage = shortageOf(size);
  if (shortage) {
    const how = `it has ${shortage}, which its virtual machines share`;
    problems.push(problem('enforced_differently', { field: `size ${fields.size}`, how }, { ...at('size'), severity: 'note' }));
  }
  const address = privateIp === undefined ? '127.255.0.4' : loopbackFor(privateIp, new Set());
  if (!(await canListenOn(address))) note('network_interface', `${address} cannot be used here, so the machine shares 127.0.0.1`);
  return problems;
}

function shortageOf(size: MachineSize): string | undefined {
  const cpus = availableParallelism();
  const parts = [
    ...(cpus < size.cpus ? [`${cpus} vCPU`] : []),
    ...(totalmem() < size.memoryBytes ? [`${inGib(totalmem())} of memory`] : []),
  ];
  return parts.length === 0 ? undefined : `only ${parts.join(' and ')}`;
}

function sizeOf(fields: VirtualMachineFields): MachineSize {
  const size = machineSize(fields.size);
  if (!size) throw sluiceError('unknown_machine_size', { size: fields.size, nearest: nearestSizes(fields.size) });
  return size;
}

function groupName(address: Address): string {
  const [environment, , name] = address.split('/');
  return `${environment}.${name}`;
}

function createQueue(): <Value>(task: () => Promise<Value>) => Promise<Value> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
}
