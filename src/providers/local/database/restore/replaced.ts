import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** `replaced-20261122T010203004Z`: the data a restore took out of use, by the time it did. It can be put back in the place of `data`. */
export function replacedName(time: number, kind: 'replaced' | 'former' = 'replaced'): string {
  return `${kind}-${new Date(time).toISOString().replaceAll(/[-:.]/g, '')}`;
}

const pattern = /^([a-z]+)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/;

/** Folders that carry the time they were put aside in their name, oldest first. */
export async function replacedFolders(
  folder: string,
  kind: 'replaced' | 'former' = 'replaced',
): Promise<readonly { readonly name: string; readonly time: number }[]> {
  const found = (await readdir(folder).catch(() => [])).flatMap((name) => {
    const [, prefix, year, month, day, hour, minute, second, millisecond] = pattern.exec(name) ?? [];
    if (millisecond === undefined || prefix !== kind) return [];
    return [{ name, time: Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`) }];
  });
  return found.toSorted((left, right) => left.time - right.time);
}

/** Removes data that was replaced before `time`, in milliseconds since the epoch. */
export async function removeReplaced(folder: string, time: number, kind: 'replaced' | 'former' = 'replaced'): Promise<void> {
  for (const { name, time: replacedAt } of await replacedFolders(folder, kind)) {
    if (replacedAt < time) await rm(join(folder, name), { recursive: true, force: true });
  }
}
