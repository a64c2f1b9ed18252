import { createHash } from 'node:crypto';
import { z } from 'zod';
import { sluiceError } from '../../errors/sluice-error.ts';
import { readDockerFile } from './docker-config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface NamedContext {
  readonly name: string;
  /** What names it. */
  readonly by: 'DOCKER_CONTEXT' | 'config.json';
}

const configuration = z.looseObject({ currentContext: z.string().optional() });
const metadata = z.looseObject({ Endpoints: z.looseObject({ docker: z.looseObject({ Host: z.string().optional() }).optional() }) });

/** Stands for no context at all. */
const none = 'default';

/** The context that `docker` uses where DOCKER_HOST is not set; undefined for its default. A configuration that cannot be read names none. */
export function currentContext(environment: Environment): NamedContext | undefined {
  const asked = environment['DOCKER_CONTEXT'];
  const configured = asked ? undefined : configuration.safeParse(readDockerFile(environment, 'config.json')).data?.currentContext;
  const name = asked || configured || none;
  return name === none ? undefined : { name, by: asked ? 'DOCKER_CONTEXT' : 'config.json' };
}

/** The address of a context's engine; undefined when it names none, which stands for the usual one. Throws `docker_context_unusable`. */
export function contextHost({ name, by }: NamedContext, environment: Environment): string | undefined {
  const folder = createHash('sha256').update(name).digest('hex');
  const file = readDockerFile(environment, 'contexts', 'meta', folder, 'meta.json');
  const read = metadata.safeParse(file);
  if (!read.success) {
    const reason = file === undefined ? 'there is none of that name' : 'its meta.json is not what Docker writes';
    throw sluiceError('docker_context_unusable', { context: name, by, reason });
  }
  return read.data.Endpoints.docker?.Host || undefined;
}
