import { digestJson, type Digest } from '../digest/digest.ts';
import type { Json } from '../digest/json.ts';
import { containedPath } from '../effects/files.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import { digestTree } from './content-tree.ts';
import type { ReleaseContent } from './release.ts';

/** The parts of a release that are files, by the field that names them. */
export const fileParts = ['source', 'prompts', 'policy', 'api', 'migrations'] as const;
export type FilePart = (typeof fileParts)[number];

/** What a reference to an image stands for at this moment. */
export type ResolveImage = (reference: string) => Promise<Digest>;

/** Digests of what fields only name, by field. */
export type ContentDigests = Readonly<Partial<Record<FilePart | 'image', Digest>>>;

/** Reads everything that makes up a release. `fields` are as declared, so that a secret takes part by its reference only. */
export async function readReleaseContent(fields: ServiceFields, root: string, resolveImage: ResolveImage): Promise<ReleaseContent> {
  const digests: Partial<Record<FilePart | 'image', Digest>> = {};
  if (fields.image !== undefined) digests.image = await resolveImage(fields.image);
  for (const { part, path } of partPaths(fields, root)) digests[part] = await digestTree(path);
  return releaseContent(fields, digests);
}

/** The content of a release: what the fields say, and digests of the files they name. */
export function releaseContent(fields: ServiceFields, digests: ContentDigests): ReleaseContent {
  const { source = digestJson(''), image, prompts, policy, api, migrations } = digests;
  return {
    ...(image ? { image } : { source }),
    command: fields.command ?? [],
    environment: fields.env,
    ...(prompts && { prompts }),
    ...(fields.model && { model: fields.model }),
    ...(policy && { policy }),
    ...(api && { api }),
    ...(migrations && { migrations }),
  };
}

/** Digests of the files and the image of a release, by the field that names them. */
export function contentDigests(content: ReleaseContent): ContentDigests {
  return Object.fromEntries(
    ([...fileParts, 'image'] as const).flatMap((part) => (content[part] === undefined ? [] : [[part, content[part]]])),
  );
}

/** The path a part is declared with. */
export function declaredPath(fields: ServiceFields, part: FilePart): string | undefined {
  const declared = fields[part];
  return typeof declared === 'object' ? declared.path : declared;
}

/** Absolute paths of the declared parts. Throws `service_path_outside` for one that leads out of the stack's folder. */
export function partPaths(fields: ServiceFields, root: string): readonly { readonly part: FilePart; readonly path: string }[] {
  return fileParts.flatMap((part) => {
    const declared = declaredPath(fields, part);
    if (declared === undefined) return [];
    const path = containedPath(root, declared);
    if (path === undefined) throw sluiceError('service_path_outside', { service: fields.name, field: part, path: declared });
    return [{ part, path }];
  });
}

export function releaseDigest(content: ReleaseContent): Digest {
  return digestJson(content as unknown as Json);
}

/** `r-` and the first 12 hex digits of the digest. */
export function releaseId(digest: Digest): string {
  return `r-${hexOf(digest)}`;
}

export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12);
}
