import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digestJson } from '../../digest/digest.ts';
import type { JsonObject } from '../../digest/json.ts';
import { containedPath, writeDurably } from '../../effects/files.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { CreateRequest, Provider } from '../../providers/provider.ts';
import type { EnvironmentFields } from '../../stack/kinds/environment.ts';
import type { TlsFields } from '../../stack/kinds/environment/tls.ts';
import { checkTls } from './check-tls.ts';
import type { GatewayControl } from './gateway-control.ts';
import type { ListenerSettings } from './listener-settings.ts';

export interface GatewaySettingsDependencies {
  readonly control: Pick<GatewayControl, 'configure' | 'settings'>;
  /** The folder of the gateway: keys that are given as secrets go to `keys/`. */
  readonly folder: string;
}

/** How the gateway serves an environment, as a resource: `gateway` of the kind `environment`. */
export function createGatewaySettings({ control, folder }: GatewaySettingsDependencies): Provider {
  const keys = join(folder, 'keys');

  const apply = async (request: CreateRequest) => {
    const { environment } = request;
    const gateway = gatewayOf(request.fields);
    const written = gatewayOf(request.declared);
    const settings: ListenerSettings = {
      ...(gateway?.engine !== undefined && { engine: gateway.engine }),
      ...(gateway?.address !== undefined && { address: gateway.address }),
      ...(gateway?.ports?.http !== undefined && { port: gateway.ports.http }),
      ...(gateway?.tls !== undefined && {
        tls: await tlsSettings({ ...gateway.tls, port: gateway.ports?.https ?? gateway.tls.port }, written?.tls, request),
      }),
    };
    await control.configure(environment, settings);
    await removeKeys(environment, settings);
    return { id: `gateway-${environment}`, outputs: {} };
  };

  const tlsSettings = async (tls: TlsFields, written: TlsFields | undefined, request: CreateRequest): Promise<ListenerSettings['tls']> => {
    const inStack = (path: string): string => {
      const absolute = containedPath(request.root, path);
      if (absolute === undefined)
        throw sluiceError('tls_certificate_invalid', { place: path, reason: 'it is outside the folder of the stack' });
      return absolute;
    };
    const certificates = [];
    for (const [index, { hosts, certificate, key }] of tls.certificates.entries()) {
      const isSecret = written?.certificates[index]?.key !== key;
      const keyFile = isSecret ? await keepKey(request.environment, key) : inStack(key);
      certificates.push({ hosts: [...hosts], certificateFile: inStack(certificate), keyFile });
    }
    const { acme, redirect, port } = tls;
    return {
      certificates,
      redirect,
      ...(port !== undefined && { port }),
      ...(acme && {
        acme: {
          directoryUrl: acme.directory,
          ...(acme.email !== undefined && { email: acme.email }),
          ...(acme.authority !== undefined && { caFile: inStack(acme.authority) }),
          ...(acme.hosts && { hosts: [...acme.hosts] }),
        },
      }),
    };
  };

  /** The gateway reads keys without the control plane, so one that is a secret has to be a file of the owner's alone. */
  const keepKey = async (environment: string, key: string): Promise<string> => {
    await mkdir(keys, { recursive: true, mode: 0o700 });
    const file = join(keys, `${environment}.${digestJson(key).slice(-24)}.pem`);
    await writeDurably(file, key, 0o600);
    return file;
  };

  const removeKeys = async (environment: string, { tls }: ListenerSettings): Promise<void> => {
    const used = new Set(tls?.certificates.map(({ keyFile }) => keyFile));
    for (const name of await readdir(keys).catch(() => [])) {
      const file = join(keys, name);
      if (name.startsWith(`${environment}.`) && !used.has(file)) await rm(file, { force: true });
    }
  };

  return {
    name: 'gateway',
    kinds: ['environment'],
    replaceFields: () => [],
    check: (stack) => checkTls(stack),
    fingerprint: async () => ({}),
    read: async ({ environment }) => ((await control.settings(environment)) ? { status: 'present', drift: [] } : { status: 'absent' }),
    create: apply,
    update: apply,
    delete: async ({ environment }) => {
      await control.configure(environment, undefined);
      await removeKeys(environment, {});
    },
    // Listeners end and begin with the services of their environment.
    suspend: async () => {},
    resume: async () => {},
  };
}

function gatewayOf(fields: JsonObject): EnvironmentFields['gateway'] {
  return (fields as unknown as EnvironmentFields).gateway;
}
