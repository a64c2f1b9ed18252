import { readdir, readFile } from 'node:fs/promises';

/** What a process holds of the machine (Linux); undefined for one that is gone, or where the system does not tell. */
export interface Footprint {
  readonly memoryMb: number;
  readonly files: number;
}

export async function footprintOf(pid: number): Promise<Footprint | undefined> {
  try {
    const [status, files] = await Promise.all([readFile(`/proc/${pid}/status`, 'utf8'), readdir(`/proc/${pid}/fd`)]);
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    return kilobytes === undefined ? undefined : { memoryMb: Number(kilobytes) / 1_024, files: files.length };
  } catch {
    return undefined;
  }
}
