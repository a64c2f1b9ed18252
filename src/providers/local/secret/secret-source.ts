import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { containedPath } from '../../../effects/files.ts';
import { sluiceError } from '../../../errors/sluice-error.ts';
import type { SecretFields } from '../../../stack/kinds/secret.ts';

/** Where the value of a secret comes from when it is not made here. */
export type OutsideSource = Extract<SecretFields['value'], { env: string } | { file: string }>;

const largestFile = 64 * 1024;

export function isOutside(value: SecretFields['value']): value is OutsideSource {
  return 'env' in value || 'file' in value;
}

/** The value as it is now; empty for an optional variable that is not set. Throws when it cannot be had; the error never holds it. */
export async function readSource(
  name: string,
  source: OutsideSource,
  from: { readonly root: string; readonly environment: Readonly<Record<string, string | undefined>> },
): Promise<string> {
  if ('file' in source) return readSecretFile(name, source.file, from.root);
  const value = from.environment[source.env];
  if (value === undefined && !source.optional) throw sluiceError('secret_variable_missing', { name, variable: source.env });
  return value ?? '';
}

/** A newline at the end of the file is dropped: editors put it there. */
async function readSecretFile(name: string, file: string, root: string): Promise<string> {
  const unusable = (reason: string, cause?: unknown): never => {
    throw sluiceError('secret_file_unusable', { name, file, reason }, { cause });
  };
  const path = containedPath(root, file) ?? unusable('it lies outside the folder of the stack');
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) =>
    unusable(error.code === 'ENOENT' ? 'there is no such file' : `it cannot be opened (${error.code ?? 'unknown'})`, error),
  );
  try {
    const status = await handle.stat();
    if (!status.isFile()) unusable('it is not a file');
    const buffer = Buffer.alloc(largestFile + 1);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    if (bytesRead > largestFile) unusable('it is larger than 64 KiB');
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead)).replace(/\r?\n$/, '');
  } catch (error) {
    if (error instanceof TypeError) return unusable('it is not UTF-8 text');
    throw error;
  } finally {
    await handle.close();
  }
}
