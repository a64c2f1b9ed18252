import { editDistance } from '../../../stack/suggest.ts';

/** Capacity of a machine size. */
export interface MachineSize {
  readonly name: string;
  readonly cpus: number;
  readonly memoryBytes: number;
}

const gib = 2 ** 30;

interface Family {
  /** `#` stands for the number of vCPUs. */
  readonly names: readonly string[];
  readonly cpus: readonly number[];
  readonly gibPerCpu: number;
  /** Sizes whose memory is not the family's multiple, in GiB. */
  readonly exceptions?: Readonly<Record<number, number>>;
}

/** General-purpose, memory- and compute-optimised families, as Microsoft documents them under "Sizes for virtual machines in Azure". */
const families: readonly Family[] = [
  { names: ['D#_v3', 'D#s_v3'], cpus: [2, 4, 8, 16, 32, 48, 64], gibPerCpu: 4 },
  { names: ['D#_v4', 'D#s_v4', 'D#d_v4', 'D#ds_v4'], cpus: [2, 4, 8, 16, 32, 48, 64], gibPerCpu: 4 },
  { names: ['D#a_v4', 'D#as_v4'], cpus: [2, 4, 8, 16, 32, 48, 64, 96], gibPerCpu: 4 },
  { names: ['D#_v5', 'D#s_v5', 'D#d_v5', 'D#ds_v5', 'D#as_v5', 'D#ads_v5'], cpus: [2, 4, 8, 16, 32, 48, 64, 96], gibPerCpu: 4 },
  { names: ['D#ps_v5', 'D#pds_v5'], cpus: [2, 4, 8, 16, 32, 48, 64], gibPerCpu: 4, exceptions: { 64: 208 } },
  { names: ['E#_v3', 'E#s_v3'], cpus: [2, 4, 8, 16, 20, 32, 48, 64], gibPerCpu: 8, exceptions: { 64: 432 } },
  { names: ['E#_v4', 'E#s_v4', 'E#d_v4', 'E#ds_v4'], cpus: [2, 4, 8, 16, 20, 32, 48, 64], gibPerCpu: 8, exceptions: { 64: 504 } },
  {
    names: ['E#_v5', 'E#s_v5', 'E#d_v5', 'E#ds_v5', 'E#as_v5', 'E#ads_v5'],
    cpus: [2, 4, 8, 16, 20, 32, 48, 64, 96],
    gibPerCpu: 8,
    exceptions: { 96: 672 },
  },
  { names: ['F#', 'F#s'], cpus: [1, 2, 4, 8, 16], gibPerCpu: 2 },
  { names: ['F#s_v2'], cpus: [2, 4, 8, 16, 32, 48, 64, 72], gibPerCpu: 2 },
];

const burstable: Readonly<Record<string, readonly [cpus: number, gib: number]>> = {
  B1ls: [1, 0.5],
  B1s: [1, 1],
  B1ms: [1, 2],
  B2s: [2, 4],
  B2ms: [2, 8],
  B4ms: [4, 16],
  B8ms: [8, 32],
  B12ms: [12, 48],
  B16ms: [16, 64],
  B20ms: [20, 80],
};

const sizes = new Map<string, MachineSize>(catalogue().map((size) => [size.name.toLowerCase(), size]));

/** Azure compares the names of sizes without regard to case. */
export function machineSize(name: string): MachineSize | undefined {
  return sizes.get(name.toLowerCase());
}

/** The `count` sizes whose names are most like `name`, best first. */
export function nearestSizes(name: string, count = 3): readonly string[] {
  const wanted = name.toLowerCase().slice(0, 64);
  return [...sizes.values()]
    .map((size) => ({ name: size.name, distance: editDistance(wanted, size.name.toLowerCase()) }))
    .sort((left, right) => left.distance - right.distance)
    .slice(0, count)
    .map((size) => size.name);
}

function catalogue(): readonly MachineSize[] {
  const regular = families.flatMap(({ names, cpus, gibPerCpu, exceptions }) =>
    names.flatMap((pattern) =>
      cpus.map((count) => sizeOf(pattern.replace('#', String(count)), count, exceptions?.[count] ?? count * gibPerCpu)),
    ),
  );
  return [...Object.entries(burstable).map(([name, [cpus, memory]]) => sizeOf(name, cpus, memory)), ...regular];
}

function sizeOf(name: string, cpus: number, memoryGib: number): MachineSize {
  return { name: `Standard_${name}`, cpus, memoryBytes: memoryGib * gib };
}
