import { dirname } from 'node:path';

/** Where programs of instances are looked up: the runtime Sluice itself runs on comes first, so `node` means that one. */
export const instancePath = [...new Set([dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'])].join(':');

/** The complete environment of an instance. Nothing of the control plane's own environment is in it but what is named here. */
export function instanceEnvironment(
  instance: { readonly id: string; readonly host: string; readonly port: number; readonly folder: string },
  declared: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return {
    PATH: instancePath,
    HOME: instance.folder,
    ...declared,
    HOST: instance.host,
    PORT: String(instance.port),
    SLUICE_INSTANCE: instance.id,
  };
}
