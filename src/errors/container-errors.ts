import { entry } from './entry.ts';

const anotherEngine =
  '`docker context use default` goes back to that of the system; DOCKER_HOST=unix:///path/of/docker.sock names another before the control plane is started (`sluice down`, then `sluice up`).';

/** Errors of container images and of the engine that runs them. */
export const containerErrors = {
  engine_address_refused: entry<{ address: string; by: string; reason: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ address, by, reason }) => `The container engine at ${address} (${by}) is not used: ${reason}.`,
    help: () => `Containers share network and files with Sluice, so the engine has to be on this machine. ${anotherEngine}`,
  }),
  docker_context_unusable: entry<{ context: string; by: string; reason: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ context, by, reason }) => `The Docker context '${context}' that ${by} names cannot be used: ${reason}.`,
    help: () => `\`docker context ls\` lists those there are. ${anotherEngine}`,
  }),
  engine_unfit: entry<{ address: string; by: string; reason: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ address, by, reason }) => `The container engine at ${address} (${by}) cannot run services: ${reason}.`,
    help: () => `Containers share network and files with Sluice: they need an engine that runs as root on this machine. ${anotherEngine}`,
  }),
  engine_unreachable: entry<{ address: string; by: string; reason: string; rootless?: string }>({
    status: 503,
    retry: 'retry',
    message: ({ address, by, reason }) => `The container engine at ${address} (${by}) cannot be reached: ${reason}.`,
    help: ({ rootless }) =>
      [
        'Install and start Docker (`sudo apt install docker.io && sudo systemctl start docker`), let your user reach its socket (`sudo usermod -aG docker $USER`, then log in again), or name another socket with DOCKER_HOST=unix:///path before the control plane is started.',
        ...(rootless === undefined ? [] : [`The rootless engine at ${rootless} does not do: its containers have a network of their own.`]),
      ].join(' '),
  }),
  engine_failed: entry<{ action: string; reason: string }>({
    status: 502,
    retry: 'retry',
    message: ({ action, reason }) => `The container engine could not ${action}: ${reason}.`,
    help: () => 'The reason is what the engine says; `docker info` and its log tell more. What was asked is tried again.',
  }),
  containers_need_linux: entry<{ service: string; platform: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, platform }) =>
      `The service '${service}' is a container image, which Sluice runs on Linux only: on ${platform} containers do not share the machine's network.`,
    help: () => 'Run Sluice on Linux, or name the code with `source` and its `command`.',
  }),
  image_reference_invalid: entry<{ service: string; reference: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, reference }) => `'${reference}', the image of the service '${service}', is no reference to a container image.`,
    help: () => 'Write [registry/]name[:tag][@sha256:digest] in lower case, such as registry.example.com/team/agent:1.2.',
  }),
  image_not_found: entry<{ reference: string; reason: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ reference, reason }) => `There is no image '${reference}': the engine does not have it, and its registry says: ${reason}.`,
    help: () =>
      'Correct the name, build it (`docker build -t NAME .`), or log in to its registry (`docker login REGISTRY`) as the user who runs Sluice.',
  }),
  image_not_pulled: entry<{ reference: string; reason: string }>({
    status: 502,
    retry: 'retry',
    message: ({ reference, reason }) => `The image '${reference}' could not be fetched: ${reason}.`,
    help: () => 'Look at the reason; `docker pull` of the same reference tells more. It is tried again.',
  }),
  image_gone: entry<{ reference: string; digest: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ reference, digest }) =>
      `The image '${reference}' that was planned (${digest}) is no longer in the engine, and no registry has it.`,
    help: () => 'Build or load it again, and plan again.',
  }),
  registry_login_unusable: entry<{ registry: string; reason: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ registry, reason }) => `The login for ${registry} in Docker's configuration cannot be used: ${reason}.`,
    help: ({ registry }) => `\`docker login ${registry}\` makes a new one.`,
  }),
  service_command_missing: entry<{ service: string; source: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, source }) => `The service '${service}' has no command to start the code of '${source}' with.`,
    help: () => 'Only an image may go without: declare `command`.',
  }),
};
