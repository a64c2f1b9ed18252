import { totalmem } from 'node:os';
import { machineSize } from '../machine/sizes.ts';

/** What a size means for the server on this machine. */
export interface DatabaseSizing {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly sharedBuffersMib: number;
  readonly maxConnections: number;
}

/** GiB per vCPU of the tiers of Azure Database for PostgreSQL. */
const tiers: Readonly<Record<string, number>> = { burstable: 2, generalpurpose: 4, memoryoptimized: 8 };

export const skuExamples = ['Burstable_1_vCPU', 'GeneralPurpose_4_vCPU', 'MemoryOptimized_8_vCPU', 'Standard_D4ds_v5'];

/**
 * Memory and connections for a sku: a tier and its vCPUs, or the size of a machine. Shared buffers are a quarter of the sku's memory, as
 * PostgreSQL's documentation advises, but at most a sixteenth of what this machine has, which it shares with everything else.
 */
export function databaseSizing(sku: string, machineMemory = availableMemory()): DatabaseSizing | undefined {
  const declared = capacityOf(sku);
  if (!declared) return undefined;
  const mib = 2 ** 20;
  const sharedBuffersMib = Math.max(16, Math.floor(Math.min(declared.memoryBytes / 4, machineMemory / 16) / mib));
  return { ...declared, sharedBuffersMib, maxConnections: Math.min(500, Math.max(50, declared.cpus * 50)) };
}

function capacityOf(sku: string): { readonly cpus: number; readonly memoryBytes: number } | undefined {
  const [, tier = '', count = ''] = /^([a-z]+)_(\d{1,3})_vcpu$/.exec(sku.toLowerCase()) ?? [];
  const gibPerCpu = tiers[tier];
  const cpus = Number(count);
  if (gibPerCpu !== undefined && cpus > 0) return { cpus, memoryBytes: cpus * gibPerCpu * 2 ** 30 };
  return machineSize(sku);
}

/** Memory of this machine, or of the container we are in. */
function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
