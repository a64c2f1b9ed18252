import { z } from 'zod';

/** A name of a container image by the grammar of the OCI distribution specification, as `github.com/distribution/reference` reads it. */
export interface ImageReference {
  /** As written. */
  readonly text: string;
  /** Host of the registry; `docker.io` when none is written. */
  readonly registry: string;
  /** With the registry, and `library/` where Docker Hub's own images are meant: `docker.io/library/node`. */
  readonly name: string;
  /** As written, without tag and digest. */
  readonly familiar: string;
  /** `latest` where neither a tag nor a digest is written. */
  readonly tag?: string;
  readonly digest?: `sha256:${string}`;
}

const longestName = 255;
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const label = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domain = `(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const grammar = new RegExp(
  `^(?<name>(?:${domain}/)?${component}(?:/${component})*)(?::(?<tag>[\\w][\\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$`,
);

/** Undefined for what is no reference to an image. */
export function parseImageReference(text: string): ImageReference | undefined {
  const { name, tag, digest } = grammar.exec(text.length <= 1024 ? text : '')?.groups ?? {};
  if (name === undefined) return undefined;
  const [first = '', ...rest] = name.split('/');
  // As Docker tells a registry from the first part of a name.
  const hasRegistry = rest.length > 0 && (/[.:[]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const registry = hasRegistry && first !== 'index.docker.io' ? first : 'docker.io';
  const path = hasRegistry ? rest.join('/') : name;
  // Upper case is for registries only, and 64 hex digits are an image's own id.
  if (path !== path.toLowerCase() || path.length > longestName || /^[0-9a-f]{64}$/.test(path)) return undefined;
  const full = registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path;
  return {
    text,
    registry,
    name: `${registry}/${full}`,
    familiar: name,
    ...(tag !== undefined && { tag }),
    ...(tag === undefined && digest === undefined && { tag: 'latest' }),
    ...(digest !== undefined && { digest: digest as `sha256:${string}` }),
  };
}

/** A reference by tag, by digest, or by both. */
export function imageReference() {
  return z
    .string()
    .refine((text) => parseImageReference(text) !== undefined, {
      error: 'a reference to a container image such as registry.example.com/team/agent:1.2 or agent@sha256:…',
    })
    .meta({ 'x-type': 'image reference' });
}
