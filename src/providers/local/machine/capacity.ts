import { problem, type Problem } from '../../../errors/sluice-error.ts';
import { roomToMove } from '../../../stack/fields/allowance.ts';
import { parseCpuMillis, parseMemoryBytes } from '../../../stack/fields/quantity.ts';
import { fieldsOf, type ServiceFields } from '../../../stack/kinds/index.ts';
import type { ResolvedBlock, ResolvedStack } from '../../../stack/stack.ts';
import type { MachineSize } from './sizes.ts';

/** What one instance of a service is counted with when it declares no resources: small enough for any size to hold several. */
const undeclaredResources = { cpu: '100m', memory: '128Mi' };

interface Demand {
  readonly service: string;
  /** Replicas, and those a rolling replacement starts before it stops old ones. */
  readonly instances: number;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

/** Errors when the services that run on a machine cannot all have what they declare, even while each of them is being replaced. */
export function checkCapacity(machine: ResolvedBlock, size: MachineSize, stack: ResolvedStack): readonly Problem[] {
  const demands = stack.blocks.filter((block) => block.kind === 'service' && block.fields['runs_on'] === machine.name).map(demandOf);
  const available = { cpuMillis: size.cpus * 1000, memoryBytes: size.memoryBytes };
  return [
    ...overcommitted(
      machine,
      'CPU',
      demands,
      (demand) => demand.cpuMillis,
      available.cpuMillis,
      (millis) => `${millis / 1000} vCPU`,
    ),
    ...overcommitted(machine, 'memory', demands, (demand) => demand.memoryBytes, available.memoryBytes, inGib),
  ];
}

function demandOf(service: ResolvedBlock): Demand {
  const { replicas, scaling, resources, rollout } = fieldsOf(service, 'service');
  const most = scaling?.max ?? replicas;
  return {
    service: service.name,
    instances: most + (most === 0 ? 0 : surgeOf(rollout, most)),
    cpuMillis: parseCpuMillis(resources?.cpu ?? undeclaredResources.cpu),
    memoryBytes: parseMemoryBytes(resources?.memory ?? undeclaredResources.memory),
  };
}

/** Every strategy but rolling may hold the whole of both releases at some moment. */
function surgeOf(rollout: ServiceFields['rollout'], replicas: number): number {
  return rollout.strategy === 'rolling' ? roomToMove(rollout.max_surge, rollout.max_unavailable, replicas).surge : replicas;
}

function overcommitted(
  machine: ResolvedBlock,
  resource: string,
  demands: readonly Demand[],
  amount: (demand: Demand) => number,
  available: number,
  write: (amount: number) => string,
): readonly Problem[] {
  const needed = demands.reduce((sum, demand) => sum + demand.instances * amount(demand), 0);
  if (needed <= available) return [];
  const services = demands.map((demand) => `${demand.service} ${demand.instances} x ${write(amount(demand))}`).join(', ');
  const where = { position: machine.positionOf('size'), address: machine.address };
  return [
    problem(
      'machine_overcommitted',
      { machine: machine.name, resource, needed: write(needed), available: write(available), services },
      where,
    ),
  ];
}

export function inGib(bytes: number): string {
  return `${Math.round((bytes / 2 ** 30) * 100) / 100} GiB`;
}
