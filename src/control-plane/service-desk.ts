import { readFile, stat } from 'node:fs/promises';
import type { ServiceDesk } from '../api/ports.ts';
import type { LogLine, ServiceView } from '../api/schemas/service.ts';
import type { KnownSecrets } from '../secrets/known-secrets.ts';
import { containedPath } from '../effects/files.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import { exampleRequest } from '../release/example-request.ts';
import { recordView } from '../rollout/rollout-view.ts';
import type { ServiceController } from '../rollout/service-controller.ts';
import type { ServiceStatus } from '../rollout/service-status.ts';
import type { Store } from '../store/store.ts';
import type { InstanceLogs } from './instance-logs.ts';

/** More than this is not an API description. */
const descriptionLimitBytes = 1_048_576;

/** Services as people see them: the controller's view, with a request to try. */
export function createServiceDesk(dependencies: {
  readonly controller: Pick<ServiceController, 'list' | 'describe' | 'scale' | 'restart' | 'operate' | 'rollouts'>;
  readonly logs: InstanceLogs;
  readonly store: Pick<Store, 'get'>;
  /** Takes secrets out of what instances wrote. */
  readonly secrets?: Pick<KnownSecrets, 'scrub'>;
}): ServiceDesk {
  const { controller, logs, store, secrets } = dependencies;
  const masked = (line: LogLine): LogLine => (secrets === undefined ? line : { ...line, line: secrets.scrub(line.line) });

  const view = async (status: ServiceStatus): Promise<ServiceView> => {
    const example = await exampleOf(status);
    return { ...status, ...(example && { example }) };
  };

  const exampleOf = async ({ address, urls }: ServiceStatus): Promise<ServiceView['example']> => {
    const [url] = urls;
    if (url === undefined) return undefined;
    const document = await store.get('resources', address);
    const text = document && (await apiDescription(document.value as unknown as ResourceState));
    const example = text === undefined ? undefined : exampleRequest(text);
    if (example === undefined) return undefined;
    const { method, path, headers, body } = example;
    // The gateway passes a path on as it came, so the API's paths are the public ones.
    return { method, url: new URL(path, url).href, headers, ...(body !== undefined && { body }) };
  };

  const describe = async (environment: string, name: string): Promise<ServiceView> => {
    const address = `${environment}/service/${name}`;
    const status = await controller.describe(address);
    if (status === undefined) throw sluiceError('unknown_service', { address });
    return view(status);
  };

  return {
    list: async (environment) => Promise.all((await controller.list(environment)).map(view)),
    get: describe,
    scale: async (environment, name, replicas) => {
      await controller.scale(`${environment}/service/${name}`, replicas);
      return describe(environment, name);
    },
    restart: async (environment, name) => {
      await controller.restart(`${environment}/service/${name}`);
      return describe(environment, name);
    },
    operate: async (environment, name, action, who) => {
      await controller.operate(`${environment}/service/${name}`, action, who);
      return describe(environment, name);
    },
    rollouts: async (environment, name) => (await controller.rollouts(`${environment}/service/${name}`)).map(recordView),
    readLogs: async (environment, name, selection) => {
      await describe(environment, name);
      return (await logs.read(`${environment}/service/${name}`, selection)).map(masked);
    },
    async *followLogs(environment, name, selection, signal) {
      for await (const line of logs.follow(`${environment}/service/${name}`, selection, signal)) yield masked(line);
    },
  };
}

/** The service's OpenAPI text from its stack's folder; undefined when it has none or it cannot be read: an example is a courtesy. */
async function apiDescription({ declared, root }: ResourceState): Promise<string | undefined> {
  try {
    const file = typeof declared['api'] === 'string' ? containedPath(root, declared['api']) : undefined;
    return file !== undefined && (await stat(file)).size <= descriptionLimitBytes ? await readFile(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
