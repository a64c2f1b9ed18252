import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Networks that share one resource group. */
const networksOfAGroup = 99;
/** Few enough for the limits of one file at any size. */
const blocksOfAFile = 2_000;

/**
 * Writes a stack of `size` trivial resources: groups, and networks that refer to them. A field of every network is `revision`'s third
 * octet, so that another revision changes them all.
 */
export async function writeStack(folder: string, size: number): Promise<void> {
  await mkdir(join(folder, 'stack.d'), { recursive: true });
  await writeFile(join(folder, 'stack.yaml'), 'environment: { name: bench, provider: simulated }\n');
  const groups = Math.ceil(size / (networksOfAGroup + 1));
  const blocks = { resource_group: [] as string[], network: [] as string[] };
  for (let index = 0; index < groups; index += 1) blocks.resource_group.push(`- { name: g${index}, location: local }`);
  for (let index = 0; index < size - groups; index += 1) {
    blocks.network.push(`- { name: n${index}, resource_group_name: g${index % groups}, address_space: 10.0.0.0/16 }`);
  }
  let files = 0;
  for (const [kind, lines] of Object.entries(blocks)) {
    for (let at = 0; at < lines.length; at += blocksOfAFile) {
      files += 1;
      const text = [`${kind}:`, ...lines.slice(at, at + blocksOfAFile)].join('\n');
      await writeFile(join(folder, 'stack.d', `part-${String(files).padStart(3, '0')}.yaml`), `${text}\n`);
    }
  }
}
