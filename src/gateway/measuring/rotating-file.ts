import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Lines that go to a file in the background. */
export interface RotatingFile {
  /** Never waits: when the disk does not keep up, lines are dropped and their number is written in their place. */
  write(line: string): void;
  /** So many lines were lost before they came here. */
  lost(count: number): void;
  dropped(): number;
  /** Writes what is buffered. */
  close(): Promise<void>;
}

export interface RotatingFileOptions {
  readonly path: string;
  /** A file that is larger is renamed to `.1`, the one before it to `.2`, and so on. */
  readonly maxBytes: number;
  readonly oldFiles: number;
  readonly maxBufferedBytes?: number;
  readonly flushMs?: number;
  readonly onError: (error: Error) => void;
}

/** Readable by the owner only. What cannot be written is dropped and told of once until it works again. */
export function createRotatingFile(options: RotatingFileOptions): RotatingFile {
  const { path, maxBytes, oldFiles, maxBufferedBytes = 1_048_576, flushMs = 250, onError } = options;
  let lines: string[] = [];
  let buffered = 0;
  let missing = 0;
  let droppedInAll = 0;
  let timer: NodeJS.Timeout | undefined;
  let file: FileHandle | undefined;
  let size = 0;
  let writing: Promise<void> | undefined;
  let isFailing = false;

  const openFile = async (): Promise<FileHandle> => {
    if (file === undefined) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      file = await open(path, 'a', 0o600);
      ({ size } = await file.stat());
    }
    return file;
  };

  const rotate = async (): Promise<void> => {
    await file?.close();
    file = undefined;
    for (let number = oldFiles; number > 0; number -= 1) {
      await rename(number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`).catch(() => undefined);
    }
  };

  const drop = (count: number): void => {
    missing += count;
    droppedInAll += count;
  };

  const flushOnce = async (): Promise<void> => {
    const batch = lines;
    const note = missing > 0 ? `${JSON.stringify({ dropped: missing })}\n` : '';
    lines = [];
    buffered = 0;
    missing = 0;
    try {
      const handle = await openFile();
      const text = Buffer.from(note + batch.join(''));
      await handle.write(text);
      size += text.length;
      isFailing = false;
      if (size >= maxBytes) await rotate();
    } catch (error) {
      drop(batch.length);
      if (!isFailing) onError(error as Error);
      isFailing = true;
    }
  };

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    writing ??= flushOnce().finally(() => {
      writing = undefined;
      if (lines.length > 0) later();
    });
    return writing;
  };

  const later = (): void => {
    timer ??= setTimeout(() => void flush(), flushMs).unref();
  };

  return {
    write: (line) => {
      if (buffered + line.length > maxBufferedBytes) {
        drop(1);
        return;
      }
      lines.push(`${line}\n`);
      buffered += line.length + 1;
      later();
    },
    lost: (count) => {
      drop(count);
      later();
    },
    dropped: () => droppedInAll,
    close: async () => {
      await writing;
      if (lines.length > 0 || missing > 0) await flush();
      clearTimeout(timer);
      await file?.close();
      file = undefined;
    },
  };
}
