import { rm } from 'node:fs/promises';
import { isAlive, type ProcessIdentity, signalGroup } from '../../effects/processes.ts';
import { until } from '../../testing/conditions.ts';
import { endProcess, liveCrew } from '../crew-register.ts';
import { haproxyOf } from '../engines/left-behind.ts';
import { gatewayFiles } from '../gateway-files.ts';
import { recordedProcess, startingProcess } from '../gateway-folder.ts';

/** Ends every process that serves for a folder, or is about to, and those they start meanwhile. Resolves when none is left. */
export async function endGateway(folder: string): Promise<void> {
  // Without the settings no worker starts another main process, and none that is started goes on.
  await rm(gatewayFiles(folder).settings, { force: true });
  await until('no process of the gateway to be left', async () => {
    const found = [await recordedProcess(folder), await startingProcess(folder), ...(await liveCrew(folder)), await haproxyOf(folder)];
    const left = found.filter((each): each is NonNullable<typeof each> => each !== undefined && isAlive(each));
    for (const each of left) end(each);
    return left.length === 0;
  });
}

/** With its group, if it leads one. */
function end(identity: ProcessIdentity): void {
  signalGroup(identity, 'SIGKILL');
  endProcess(identity);
}
