import type { Json, JsonObject } from '../../digest/json.ts';
import type { ApiChange } from './api-change.ts';
import { listOf, objectOf } from './document-parts.ts';
import type { Operation } from './operation.ts';

const mostUrls = 64;

/**
 * Where clients find the API. Hosts are a matter of the place it runs at, so one that goes is told and breaks nothing; a base path under
 * which nothing answers any more breaks every client that has it. Where nothing was declared, nothing was promised.
 */
export function compareServers(before: JsonObject, after: JsonObject): readonly ApiChange[] {
  return compareDeclared('servers', before['servers'], after['servers']);
}

/** Of an operation that is found elsewhere than the others, or was. */
export function compareOwnServers(before: Operation, after: Operation): readonly ApiChange[] {
  const [old, now] = [ownServers(before), ownServers(after)];
  if (old === undefined && now === undefined) return [];
  return compareDeclared(`${before.name} servers`, old ?? before.document['servers'], now ?? after.document['servers']);
}

function ownServers({ operation, item }: Operation): Json | undefined {
  return operation['servers'] ?? item['servers'];
}

function compareDeclared(path: string, before: Json | undefined, after: Json | undefined): readonly ApiChange[] {
  const [old, now] = [urlsOf(before), urlsOf(after)];
  const [bases, paths] = [new Set(now), new Set(now.map(basePath))];
  const gone = old.filter((url) => !bases.has(url));
  const lost = now.length === 0 ? [] : [...new Set(gone.map(basePath))].filter((base) => !paths.has(base));
  const rest = gone.filter((url) => !lost.includes(basePath(url)));
  const added = now.filter((url) => !old.includes(url));
  return [
    ...lost.map((base) => ({ path, breaking: true, what: `nothing is behind the base path ${base} any more: ${[...paths].join(', ')}` })),
    ...rest.map((url) => ({ path, breaking: false, what: `a server is removed: ${url}` })),
    ...added.map((url) => ({ path, breaking: false, what: `a new server: ${url}` })),
  ];
}

/** Every URL that the servers stand for, with the values of their variables; a few where these are many. */
function urlsOf(servers: Json | undefined): readonly string[] {
  const urls = listOf(servers).flatMap((server) => {
    const { url, variables } = objectOf(server);
    return typeof url === 'string' ? filled(url, objectOf(variables)) : [];
  });
  return [...new Set(urls)].slice(0, mostUrls);
}

function filled(url: string, variables: JsonObject): readonly string[] {
  return Object.entries(variables).reduce<readonly string[]>(
    (urls, [name, value]) => {
      if (!url.includes(`{${name}}`)) return urls;
      const { default: usual, enum: choices } = objectOf(value);
      const values = [usual, ...listOf(choices)].filter((each) => typeof each === 'string');
      return urls.flatMap((each) => [...new Set(values)].map((chosen) => each.replaceAll(`{${name}}`, chosen))).slice(0, mostUrls);
    },
    [url],
  );
}

/** `/v1` of `https://api.example.com/v1/`. */
function basePath(url: string): string {
  const path = url.replace(/^[a-z][a-z0-9+.-]*:(?=\/\/)/i, '').replace(/^\/\/[^/?#]*/, '');
  const [bare = ''] = path.split(/[?#]/);
  return `/${bare
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
}
