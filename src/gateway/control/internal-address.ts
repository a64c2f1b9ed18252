import { canListen } from '../../effects/ports.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { haproxyOf } from '../engines/left-behind.ts';
import { chooseSettings, type GatewaySettings, settingsOf } from '../gateway-folder.ts';

type Address = GatewaySettings['internal'];

/** Whether a gateway that starts now could listen where services call each other. */
export async function isInternalAddressFree(folder: string): Promise<boolean> {
  const { host, port } = (await settingsOf(folder)).internal;
  // A HAProxy whose main process has died serves there, and gives way to the next one's.
  const isOurs = (await haproxyOf(folder))?.binds.some((bind) => bind.host === host && bind.port === port);
  return isOurs === true || canListen(host, port);
}

/**
 * Chooses another internal address for good, another program having taken it. While instances run, which know no other one, it throws
 * `gateway_port_taken` instead: then nothing helps but to wait.
 */
export async function moveInternalAddress(
  folder: string,
  instancesRun: () => Promise<boolean>,
): Promise<{ readonly from: Address; readonly to: Address }> {
  const { internal: from } = await settingsOf(folder);
  if (await instancesRun()) {
    const reason = 'another program does, and instances that run know no other address';
    throw sluiceError('gateway_port_taken', { address: `${from.host}:${from.port}`, reason });
  }
  return { from, to: (await chooseSettings(folder)).internal };
}
