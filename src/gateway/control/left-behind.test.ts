import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeDurably } from '../../effects/files.ts';
import { isAlive, type ProcessIdentity, startDetached } from '../../effects/processes.ts';
import { gatewayFiles } from '../gateway-files.ts';
import { createGatewayHome, type GatewayHome } from '../testing/gateway-home.ts';

const entry = fileURLToPath(new URL('../main.ts', import.meta.url));
let home: GatewayHome;

beforeEach(async () => {
  home = await createGatewayHome();
});
afterEach(() => home.remove());

/** A gateway whose control plane was killed a moment after it started it. */
async function leftBehind(): Promise<ProcessIdentity> {
  const { output, starting } = gatewayFiles(home.folder);
  await mkdir(home.folder, { recursive: true });
  const command = [process.execPath, entry, home.folder] as const;
  const { pid, startTime } = await startDetached({ command, directory: home.folder, environment: {}, logFile: output });
  await writeDurably(starting, JSON.stringify({ pid, startTime }));
  return { pid, startTime };
}

test('a gateway that was only just started when its control plane was killed is adopted by the next one', async () => {
  const { pid } = await leftBehind();
  const control = home.control();
  await control.start();
  expect((await home.process()).pid).toBe(pid);
});

test('it is also ended when all that happens is an end', async () => {
  const gateway = await leftBehind();
  await home.control().stop();
  expect(isAlive(gateway)).toBe(false);
});
