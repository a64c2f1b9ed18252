import { readFile } from 'node:fs/promises';
import type { Clock } from '../../effects/clock.ts';
import { isAlive } from '../../effects/processes.ts';
import { endProcess } from '../crew-register.ts';
import { gatewayFiles } from '../gateway-files.ts';
import { type HaproxyRecord, haproxyRecordFile, haproxyRecord } from '../haproxy/haproxy-folder.ts';

/** The HAProxy that serves for a gateway folder, with or without a main process of ours above it. */
export async function haproxyOf(folder: string): Promise<HaproxyRecord | undefined> {
  try {
    const record = haproxyRecord.parse(JSON.parse(await readFile(haproxyRecordFile(gatewayFiles(folder).haproxy), 'utf8')));
    return isAlive(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Ends it at once, if there is one; resolves when it is gone. */
export async function endHaproxyOf(folder: string, clock: Clock): Promise<void> {
  for (let found = await haproxyOf(folder); found !== undefined; found = await haproxyOf(folder)) {
    endProcess(found);
    await clock.sleep(5);
  }
}
