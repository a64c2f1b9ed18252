import { constants } from 'node:fs';
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { containedPath } from '../../effects/files.ts';
import { problem, type SourcePosition } from '../../errors/sluice-error.ts';
import type { ProblemList } from '../problems.ts';
import { decodeText } from './decode.ts';
import { largestFile, largestStack, mostFiles } from './limits.ts';
import type { SourceText } from './node.ts';

export interface StackFiles {
  /** Absolute folder the paths in the stack start from. */
  readonly root: string;
  readonly texts: readonly SourceText[];
}

/**
 * The texts of the stack at `path`. A file is a stack by itself. A folder that holds `stack.yaml` (or `stack.yml`) is that file and the
 * YAML files of `stack.d/`, so that other YAML may lie beside it; any other folder is all YAML files directly in it. Hidden files and
 * deeper folders are never read. Only regular files, each of bounded size, whose links do not lead out of the folder.
 */
export async function readStackFiles(path: string, problems: ProblemList): Promise<StackFiles | undefined> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return await readFolder(path, problems);
    const text = await readText(path, path, problems);
    return text && { root: await realpath(dirname(resolve(path))), texts: [text] };
  } catch (error) {
    reportUnreadable(path, error, problems);
    return undefined;
  }
}

async function readFolder(folder: string, problems: ProblemList): Promise<StackFiles | undefined> {
  const root = await realpath(folder);
  const names = await stackFileNames(folder);
  if (names.length === 0) {
    problems.add(() => problem('stack_not_found', { path: folder }, { position: startOf(folder) }));
    return undefined;
  }
  if (names.length > mostFiles) {
    problems.add(() => problem('stack_too_many_files', { path: folder, limit: mostFiles }, { position: startOf(folder) }));
    return undefined;
  }
  const texts: SourceText[] = [];
  let size = 0;
  for (const name of names) {
    const file = join(folder, name);
    if (containedPath(root, name) === undefined) {
      problems.add(() => problem('path_outside_stack', { field: 'stack file', path: name }, { position: startOf(file) }));
      continue;
    }
    const text = await readText(join(root, name), file, problems);
    size += text?.text.length ?? 0;
    if (size > largestStack) {
      problems.add(() => problem('stack_too_large', { path: folder, limit: '8 MiB' }, { position: startOf(file) }));
      return undefined;
    }
    if (text) texts.push(text);
  }
  return { root, texts };
}

/** Whether there is something at `path` to read a stack from: a file, or a folder with stack files. False as well where it cannot be read. */
export async function holdsStack(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isDirectory() || (await stackFileNames(path)).length > 0;
  } catch {
    return false;
  }
}

async function stackFileNames(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter(isYaml).toSorted();
  const main = names.filter((name) => name === 'stack.yaml' || name === 'stack.yml');
  if (main.length === 0) return names;
  const parts = await readdir(join(folder, 'stack.d')).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  });
  return [
    ...main,
    ...parts
      .filter(isYaml)
      .toSorted()
      .map((name) => join('stack.d', name)),
  ];
}

function isYaml(name: string): boolean {
  return /^[^.].*\.ya?ml$/.test(name);
}

async function readText(path: string, file: string, problems: ProblemList): Promise<SourceText | undefined> {
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK opening a named pipe would wait for a writer.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await handle.stat();
    if (!found.isFile()) {
      problems.add(() => problem('stack_not_a_file', { path: file }, { position: startOf(file) }));
      return undefined;
    }
    const bytes = found.size > largestFile ? undefined : await readBounded(handle);
    if (!bytes) {
      problems.add(() => problem('stack_too_large', { path: file, limit: '2 MiB' }, { position: startOf(file) }));
      return undefined;
    }
    const decoded = decodeText(file, bytes);
    if (!('code' in decoded)) return decoded;
    problems.add(() => decoded);
  } catch (error) {
    reportUnreadable(file, error, problems);
  } finally {
    await handle?.close();
  }
  return undefined;
}

/** All bytes, unless there are more than the limit: the size a file reports need not be what it yields. */
async function readBounded(handle: FileHandle): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(65_536), 0, 65_536, null);
    if (bytesRead === 0) return Buffer.concat(chunks, size);
    size += bytesRead;
    if (size > largestFile) return undefined;
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

const reasons: Readonly<Record<string, string>> = {
  ELOOP: 'its symbolic links lead in a circle',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENAMETOOLONG: 'its name is too long',
  ENXIO: 'it is a socket or a device',
};

function reportUnreadable(path: string, error: unknown, problems: ProblemList): void {
  const code = codeOf(error);
  const position = startOf(path);
  if (code === 'ENOENT' || code === 'ENOTDIR') problems.add(() => problem('stack_not_found', { path }, { position }));
  else problems.add(() => problem('stack_unreadable', { path, reason: reasons[code] ?? code }, { position }));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error);
}

function startOf(file: string): SourcePosition {
  return { file, line: 1, column: 1 };
}
