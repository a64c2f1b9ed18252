import { chmod, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeDurably } from '../effects/files.ts';
import { firstFreePort, firstPortFrom } from '../effects/ports.ts';
import type { ProcessIdentity } from '../effects/processes.ts';
import type { Random } from '../effects/random.ts';
import { type GatewayProcess, gatewayProcess } from './admin/gateway-report.ts';
import { gatewayFiles } from './gateway-files.ts';
import { observerSettings } from './measuring/observer-settings.ts';

const settingsSchema = z.object({
  internal: z.object({ host: z.string(), port: z.number().int().min(1).max(65_535) }),
  /** Worker processes; undefined: one per core, and never less than two. */
  workers: z.number().int().min(1).max(256).optional(),
  ...observerSettings.shape,
});
export type GatewaySettings = z.infer<typeof settingsSchema>;

/** Below the range systems take outgoing ports from, so that the port is still free after a restart. */
const firstInternalPort = 7_480;

/**
 * The internal listener's address: chosen once and then kept, since running instances have it in their environment. A damaged file counts
 * as absent.
 */
export async function settingsOf(folder: string): Promise<GatewaySettings> {
  return (await readJson(gatewayFiles(folder).settings, settingsSchema)) ?? chooseSettings(folder);
}

/** Chooses the internal address anew, with the first port that is free. Only for when no instance runs that was given the old one. */
export async function chooseSettings(folder: string): Promise<GatewaySettings> {
  const host = '127.0.0.1';
  const before = await readJson(gatewayFiles(folder).settings, settingsSchema);
  const chosen = { ...before, internal: { host, port: await firstFreePort(host, firstPortFrom(firstInternalPort)) } };
  await writeDurably(gatewayFiles(folder).settings, JSON.stringify(chosen));
  return chosen;
}

/** The admin bearer token, made on first use; readable by the owner only. */
export async function adminTokenOf(folder: string, random: Random): Promise<string> {
  const { token } = gatewayFiles(folder);
  const known = await readFile(token, 'utf8').catch(() => '');
  if (/^[0-9a-f]{64}$/.test(known.trim())) {
    await chmod(token, 0o600);
    return known.trim();
  }
  const created = Buffer.from(random.bytes(32)).toString('hex');
  await writeDurably(token, created, 0o600);
  return created;
}

/** The process that last said it serves this folder; it may be gone. */
export async function recordedProcess(folder: string): Promise<GatewayProcess | undefined> {
  return readJson(gatewayFiles(folder).process, gatewayProcess);
}

/** The process that a control plane has started last and not yet seen serve; it may be gone. */
export async function startingProcess(folder: string): Promise<ProcessIdentity | undefined> {
  return readJson(gatewayFiles(folder).starting, z.object({ pid: z.number().int(), startTime: z.string() }));
}

async function readJson<Value>(path: string, schema: z.ZodType<Value>): Promise<Value | undefined> {
  try {
    const parsed = schema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
