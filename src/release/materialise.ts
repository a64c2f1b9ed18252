import { randomBytes } from 'node:crypto';
import { chmod, copyFile, lstat, mkdir, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Digest } from '../digest/digest.ts';
import { SluiceError, sluiceError } from '../errors/sluice-error.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import { digestTree, readTree } from './content-tree.ts';
import { hexOf, partPaths, type FilePart } from './release-content.ts';
import type { ReleaseContent } from './release.ts';

/** `home/releases/<environment>/<service>/<12 hex digits>`. */
export function releaseFolder(home: string, service: { readonly environment: string; readonly name: string }, digest: Digest): string {
  return join(home, 'releases', service.environment, service.name, hexOf(digest));
}

/** Name of a part inside the release's folder: a file keeps its extension, so that programs recognise it. */
function partName(part: FilePart, declaredPath: string, isFolder: boolean): string {
  return isFolder ? part : `${part}${extname(declaredPath)}`;
}

export interface MaterialisedParts {
  /** Absolute paths inside the release's folder, by part. */
  readonly [part: string]: string;
}

/**
 * Gives a release its own, unchanging copy of its files; beside it a link to the nearest `node_modules`, so that imports resolve
 * wherever the copy lies. What is copied is digested again: content that is not what was planned is `source_changed_since_plan`.
 * Written aside and renamed, so that a release's folder is complete whenever it exists. Idempotent.
 */
export async function materialise(
  folder: string,
  { fields, root, content }: { readonly fields: ServiceFields; readonly root: string; readonly content: ReleaseContent },
): Promise<MaterialisedParts> {
  const parts = await Promise.all(
    partPaths(fields, root).map(async ({ part, path }) => {
      const isFolder = await stat(path).then(
        (found) => found.isDirectory(),
        () => part === 'source',
      );
      return { part, path, name: partName(part, path, isFolder) };
    }),
  );
  const made = Object.fromEntries(parts.map(({ part, name }) => [part, join(folder, name)]));
  if (await holds(folder, parts, content)) return made;
  const aside = `${folder}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(aside, { recursive: true, mode: 0o700 });
    for (const { part, path, name } of parts) {
      await copyTree(path, join(aside, name));
      if ((await digestTree(join(aside, name))) !== content[part]) throw changed(fields.name, part);
    }
    const source = parts.find(({ part }) => part === 'source');
    const modules = source && (await nearestModules(source.path));
    if (modules !== undefined) await symlink(modules, join(aside, 'node_modules'));
    // A copy that is there but not whole (someone changed it) makes way.
    await rm(folder, { recursive: true, force: true });
    await rename(aside, folder);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    if (error instanceof SluiceError) throw error;
    throw sluiceError('content_unreadable', { path: fields.source ?? root, reason: (error as Error).message }, { cause: error });
  }
  return made;
}

async function holds(
  folder: string,
  parts: readonly { readonly part: FilePart; readonly name: string }[],
  content: ReleaseContent,
): Promise<boolean> {
  if (!(await exists(folder))) return false;
  for (const { part, name } of parts) {
    const digest = await digestTree(join(folder, name)).catch(() => undefined);
    if (digest !== content[part]) return false;
  }
  return true;
}

/** Copies content and nothing else; files become read-only, folders stay writable for the owner so that they can be removed. */
async function copyTree(from: string, to: string): Promise<void> {
  for (const entry of await readTree(from)) {
    const target = entry.path === '' ? to : join(to, entry.path);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    if (entry.type === 'link') {
      await symlink(entry.target, target);
      continue;
    }
    await copyFile(entry.path === '' ? from : join(from, entry.path), target);
    await chmod(target, entry.executable ? 0o555 : 0o444);
  }
  if (!(await exists(to))) await mkdir(to, { recursive: true, mode: 0o755 });
}

async function nearestModules(source: string): Promise<string | undefined> {
  for (let folder = await realpath(source).catch(() => source); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules');
    if (basename(folder) !== 'node_modules' && (await exists(candidate))) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function changed(service: string, part: FilePart): SluiceError {
  return sluiceError('source_changed_since_plan', { service, part });
}
