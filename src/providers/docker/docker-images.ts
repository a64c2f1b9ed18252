import { createHash } from 'node:crypto';
import { resolve as absolute } from 'node:path';
import { z } from 'zod';
import type { Digest } from '../../digest/digest.ts';
import { sluiceError, toSluiceError } from '../../errors/sluice-error.ts';
import { type ImageReference, parseImageReference } from '../../stack/fields/image-reference.ts';
import type { Images, KeptFor, PinnedImage } from '../images.ts';
import { type Engine, reasonIn } from './engine.ts';
import { pull } from './pull.ts';
import { registryLogin } from './registry-login.ts';

export interface DockerImages extends Images {
  /** The engine's own id of the image; fetched by its digest when it is gone. Throws `image_gone`, `image_not_pulled`. */
  idOf(image: PinnedImage): Promise<string>;
}

const localImage = z.looseObject({
  Id: z.string(),
  RepoDigests: z.array(z.string()).nullish(),
});
const inRegistry = z.looseObject({ Descriptor: z.looseObject({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) }) });
const taggedImages = z.array(z.looseObject({ RepoTags: z.array(z.string()).nullish() }));

/** A registry that takes longer to say what a tag stands for is taken for one that is away. */
const registryLimitMs = 10_000;

/**
 * Images of a Docker engine. What a tag stands for is asked of the image's registry, so that a tag that has moved is seen; of an image
 * that came from none, and when the registry is away, the engine's own is meant. Images of releases are kept by a tag of their own
 * (`sluice/<home>/<environment>/<service>:<release>`), so that `docker image prune` leaves them.
 */
export function createDockerImages(dependencies: {
  readonly engine: Engine;
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): DockerImages {
  const { engine, environment } = dependencies;
  const home = homeLabel(dependencies.home);

  async function inspect(name: string): Promise<z.infer<typeof localImage> | undefined> {
    const answer = await engine.call('GET', `/images/${encoded(name)}/json`);
    if (answer.status === 404) return undefined;
    const read = answer.status === 200 ? localImage.safeParse(answer.body) : undefined;
    if (!read?.success) throw sluiceError('engine_failed', { action: `look at the image ${name}`, reason: reasonIn(answer) });
    return read.data;
  }

  async function askRegistry(reference: ImageReference): Promise<{ readonly digest: Digest } | { readonly reason: string }> {
    const headers = await registryLogin(reference.registry, environment);
    const answer = await engine.call('GET', `/distribution/${encoded(nameOf(reference))}/json`, { headers, timeoutMs: registryLimitMs });
    const read = answer.status === 200 ? inRegistry.safeParse(answer.body) : undefined;
    return read?.success ? { digest: read.data.Descriptor.digest as Digest } : { reason: reasonIn(answer) };
  }

  async function find({ reference, digest }: PinnedImage): Promise<string | undefined> {
    const { name } = parsedOf(reference);
    return ((await inspect(`${name}@${digest}`)) ?? (await inspect(digest)))?.Id;
  }

  async function fetched(image: PinnedImage, progress: (line: string) => void, signal?: AbortSignal): Promise<string> {
    const found = await find(image);
    if (found !== undefined) return found;
    const reference = parsedOf(image.reference);
    // An id is no name in a registry: only a digest that one has given can be asked for again.
    const known = await askRegistry({ ...reference, digest: image.digest });
    if ('reason' in known) throw sluiceError('image_gone', { reference: image.reference, digest: image.digest });
    const login = await registryLogin(reference.registry, environment);
    await pull(engine, { reference, digest: image.digest }, login, { progress, signal });
    const id = await find(image);
    if (id === undefined)
      throw sluiceError('image_not_pulled', { reference: image.reference, reason: 'the engine does not have it afterwards' });
    return id;
  }

  return {
    async resolve(text) {
      const reference = parsedOf(text);
      if (reference.digest !== undefined && (await inspect(`${reference.name}@${reference.digest}`))) return reference.digest;
      const local = reference.digest === undefined ? await inspect(nameOf(reference)) : undefined;
      const digests = local === undefined ? [] : digestsOf(local.RepoDigests ?? [], reference.name);
      if (local !== undefined && digests.length === 0) return local.Id as Digest;
      const known = await askRegistry(reference).catch((error: unknown) => {
        const { code, message } = toSluiceError(error);
        if (code === 'registry_login_unusable' && digests.length === 0) throw error;
        return { reason: message };
      });
      if ('digest' in known) return known.digest;
      if (digests[0] !== undefined) return digests[0];
      throw sluiceError('image_not_found', { reference: text, reason: known.reason });
    },

    idOf: (image) => fetched(image, () => undefined),

    async keep(kept, image, progress, signal) {
      const id = await fetched(image, progress, signal);
      const query = new URLSearchParams({ repo: repository(home, kept), tag: kept.release });
      const answer = await engine.call('POST', `/images/${encoded(id)}/tag?${query.toString()}`);
      if (answer.status !== 201)
        throw sluiceError('engine_failed', { action: `keep the image ${image.reference}`, reason: reasonIn(answer) });
    },

    async keepOnly(service, releases) {
      const name = repository(home, service);
      const query = new URLSearchParams({ filters: JSON.stringify({ reference: [name] }) });
      const answer = await engine.call('GET', `/images/json?${query.toString()}`);
      const tags = (taggedImages.safeParse(answer.body).data ?? []).flatMap(({ RepoTags }) => RepoTags ?? []);
      const wanted = new Set(releases.map((release) => `${name}:${release}`));
      for (const tag of tags.filter((one) => one.startsWith(`${name}:`) && !wanted.has(one))) {
        // One that a container still uses stays until the next time.
        await engine.call('DELETE', `/images/${encoded(tag)}`);
      }
    },
  };
}

/** Tells homes apart that use one engine. */
export function homeLabel(home: string): string {
  return createHash('sha256').update(absolute(home)).digest('hex').slice(0, 12);
}

function repository(home: string, { environment, service }: Omit<KeptFor, 'release'>): string {
  return `sluice/${home}/${environment}/${service}`;
}

function parsedOf(text: string): ImageReference {
  const reference = parseImageReference(text);
  if (reference === undefined) throw sluiceError('image_not_found', { reference: text, reason: 'it is no reference to an image' });
  return reference;
}

function nameOf({ name, tag, digest }: ImageReference): string {
  return digest === undefined ? `${name}:${tag ?? 'latest'}` : `${name}@${digest}`;
}

/** Digests under which a registry knows the image by this name. */
function digestsOf(repoDigests: readonly string[], name: string): readonly Digest[] {
  return repoDigests
    .flatMap((text) => {
      const reference = parseImageReference(text);
      return reference?.name === name && reference.digest !== undefined ? [reference.digest] : [];
    })
    .toSorted();
}

/** A name as part of a path: its slashes stay. */
function encoded(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/').replaceAll('%3A', ':').replaceAll('%40', '@');
}
