import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Digest } from '../../digest/digest.ts';
import type { ServiceFields } from '../../stack/kinds/service.ts';
import { readTree } from '../content-tree.ts';
import { type FilePart, fileParts, partPaths } from '../release-content.ts';

/** A file of a release as it is compared. `path` begins with the part it belongs to: `prompts/system.md`, `policy.json`. */
export interface ReleaseFile {
  readonly path: string;
  readonly digest: Digest;
  /** Absent where there is no text to show: the file is binary, too large, or one too many. */
  readonly text?: string;
}

export type ReleaseFiles = Readonly<Partial<Record<FilePart, readonly ReleaseFile[]>>>;

const largestText = 256 * 1024;
/** Of all texts of a release together, so that a folder of data is not held in memory. */
const mostText = 16 * 1024 * 1024;

/** The files of a recorded release, from its own copy. Throws `content_unreadable`. */
export async function recordedFiles(directory: string, wanted: readonly FilePart[] = fileParts): Promise<ReleaseFiles> {
  const names = await readdir(directory).catch((): string[] => []);
  const parts = wanted.flatMap((part) => {
    const name = names.find((candidate) => candidate === part || candidate.startsWith(`${part}.`));
    return name === undefined ? [] : [{ part, path: join(directory, name) }];
  });
  return readParts(parts);
}

/** The files a service would be released with now. Throws `content_unreadable`, `service_path_outside`. */
export async function declaredFiles(fields: ServiceFields, root: string, wanted: readonly FilePart[] = fileParts): Promise<ReleaseFiles> {
  return readParts(partPaths(fields, root).filter(({ part }) => wanted.includes(part)));
}

async function readParts(parts: readonly { readonly part: FilePart; readonly path: string }[]): Promise<ReleaseFiles> {
  const files: Partial<Record<FilePart, readonly ReleaseFile[]>> = {};
  let room = mostText;
  for (const { part, path } of parts) {
    const read: ReleaseFile[] = [];
    for (const entry of await readTree(path)) {
      const shown = entry.path === '' ? `${part}${extname(basename(path))}` : `${part}/${entry.path}`;
      if (entry.type === 'link') {
        read.push({ path: shown, digest: digestOf(`link to ${entry.target}`), text: `link to ${entry.target}\n` });
        continue;
      }
      const bytes = await readFile(join(path, entry.path));
      const text = bytes.length <= Math.min(largestText, room) ? textOf(bytes) : undefined;
      if (text !== undefined) room -= bytes.length;
      const digest = digestOf(bytes, entry.executable ? 'executable' : 'file');
      read.push({ path: shown, digest, ...(text !== undefined && { text }) });
    }
    files[part] = read;
  }
  return files;
}

function digestOf(bytes: Uint8Array | string, type = 'link'): Digest {
  return `sha256:${createHash('sha256').update(`${type}\0`).update(bytes).digest('hex')}`;
}

/** Undefined for what is no UTF-8 text. */
function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
