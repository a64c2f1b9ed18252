import { readFile } from 'node:fs/promises';
import { writeDurably } from '../effects/files.ts';

/** Where the head of the audit log is kept outside the database it ends. */
export interface HeadKeeper {
  /** Undefined when nothing has been kept yet. */
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
}

/** In a file of its own (mode 0600); better still is a copy on another machine: `sluice audit verify --json` prints what to copy. */
export function headFile(path: string): HeadKeeper {
  return {
    read: () =>
      readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : Promise.reject(error))),
    write: (text) => writeDurably(path, text, 0o600),
  };
}
