// npm run bench:infrastructure -- [--sizes 1000,10000,100000] [--peers alchemy,tofu,terraform] [--peer-sizes 1000] [--rounds 3] [--dense 1000] [--json]
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { arch, cpus, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { controlPlaneFlags } from '../../src/control-plane/discovery.ts';
import { measure } from './measure.ts';
import { type Figure, report } from './report.ts';
import { operations, peersOf, sluice, type Tool } from './tools.ts';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000,10000,100000' },
    peers: { type: 'string', default: 'alchemy,tofu,terraform' },
    'peer-sizes': { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    dense: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
  },
});

const numbers = (text: string): readonly number[] => text.split(',').filter(Boolean).map(Number);
const [sizes, peerSizes] = [numbers(values.sizes), numbers(values['peer-sizes'])];
const { tools: peers, notes } = peersOf(values.peers.split(',').filter((name) => name !== '' && name !== 'none'));
const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
const tell = (line: string): void => console.error(line);
const figures: Figure[] = [];
try {
  for (const size of sizes) {
    // Size by size and round by round all tools take turns, so that what else the machine does falls on all of them.
    const rounds = size > 10_000 ? 1 : Number(values.rounds);
    const tools = peerSizes.includes(size) ? [sluice, ...peers] : [sluice];
    for (let round = 1; round <= rounds; round += 1) {
      for (const tool of tools) figures.push(...(await lifeOf(tool, size, round)));
    }
  }
  if (Number(values.dense) > 0) figures.push(...(await dense(Number(values.dense))));
} finally {
  await rm(folder, { recursive: true, force: true });
}
const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, ${platform()} ${arch()}, Node ${process.version}`;
console.log(values.json ? JSON.stringify({ machine, notes, figures }, null, 2) : report(machine, notes, figures));

/** From nothing to nothing: every operation once, in one folder. */
async function lifeOf(tool: Tool, size: number, round: number): Promise<readonly Figure[]> {
  const place = join(folder, `${tool.name.replaceAll(' ', '-')}-${size}-${round}`);
  await mkdir(place, { recursive: true });
  await tool.prepare(place, size);
  const found: Figure[] = [];
  for (const operation of operations) {
    const measured = await tool.run(operation, place, size);
    if (measured === undefined) continue;
    tell(`${tool.name} ${operation} ${size} (round ${round}): ${measured.seconds.toFixed(2)} s`);
    found.push(figure(tool.name, operation, size, round, measured));
  }
  await rm(place, { recursive: true, force: true });
  return found;
}

/** `side` resources that each refer to `side` others. */
async function dense(side: number): Promise<readonly Figure[]> {
  const place = join(folder, 'dense');
  await mkdir(place, { recursive: true });
  const script = fileURLToPath(new URL('sluice.ts', import.meta.url));
  const found: Figure[] = [];
  for (const operation of ['plan', 'create', 'no-op'] as const) {
    const measured = await measure(process.execPath, [...controlPlaneFlags, script, operation, place, 'dense', String(side)], place);
    tell(`sluice ${operation} dense ${side} x ${side}: ${measured.seconds.toFixed(2)} s`);
    found.push(figure(`sluice, ${side} x ${side} references`, operation, 2 * side, 1, measured));
  }
  return found;
}

function figure(
  tool: string,
  operation: Figure['operation'],
  size: number,
  round: number,
  measured: Awaited<ReturnType<typeof measure>>,
): Figure {
  const { seconds, memoryMb, output } = measured;
  const inside = tool.startsWith('sluice') ? (JSON.parse(output) as Figure['inside']) : undefined;
  return { tool, operation, size, round, seconds, ...(memoryMb !== undefined && { memoryMb }), ...(inside && { inside }) };
}
