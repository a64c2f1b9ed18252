import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../../effects/files.ts';
import type { Random } from '../../effects/random.ts';

/** What TLS session tickets are sealed with: 48 bytes, as `tls.Server.setTicketKeys` takes them. */
const keyBytes = 48;
/** A ticket outlives no rotation: its client makes a full handshake then. Bounds what a stolen key can open. */
export const ticketKeyLifeMs = 12 * 3_600_000;

function ticketKeyFile(folder: string): string {
  return join(folder, 'tickets.key');
}

/** Makes new keys when there are none or they are older than their life. For one process of a gateway; the others read the file. */
export async function rotateTicketKeys(folder: string, now: number, random: Random): Promise<void> {
  const file = ticketKeyFile(folder);
  const age = now - (modifiedAt(file) ?? Number.NEGATIVE_INFINITY);
  if (readTicketKeys(folder) !== undefined && age >= 0 && age < ticketKeyLifeMs) return;
  await writeDurably(file, random.bytes(keyBytes), 0o600);
}

/** Undefined when there are none: every process then has its own, and sessions are resumed only where they began. */
export function readTicketKeys(folder: string): Buffer | undefined {
  try {
    const keys = readFileSync(ticketKeyFile(folder));
    return keys.length === keyBytes ? keys : undefined;
  } catch {
    return undefined;
  }
}

function modifiedAt(path: string): number | undefined {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}
