import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Measured } from './source.ts';

export interface CommandRun {
  /** argv; never passed through a shell. */
  readonly command: readonly string[];
  readonly directory: string;
  /** The complete environment: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** `.ts` from sources, `.js` when compiled: whatever this file is. */
const guard = fileURLToPath(new URL(`command-guard${extname(import.meta.url)}`, import.meta.url));

/** A command that says more than this is ended. */
const mostBytes = 1_048_576;
const keptBytes = 4_096;
const longestLine = 200;

/**
 * Runs a command to its end: status 0 passes, 1 fails. Everything else, and one that does not end in time, is an error: it throws an Error
 * whose message may be shown. Nothing of it is left running, nor of what it has started in its process group, also when this process is
 * killed meanwhile: it runs under a guard that ends with it.
 */
export async function runCommand({ command, directory, environment, timeoutMs, signal }: CommandRun): Promise<Measured> {
  const [program = '', ...parameters] = command;
  signal?.throwIfAborted();
  const timeout = AbortSignal.timeout(timeoutMs);
  const child = spawn(process.execPath, [guard, program, ...parameters], {
    cwd: directory,
    env: { ...environment },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  }) as ChildProcess & Heard;
  let refused: string | undefined;
  child.once('message', (message: { readonly refused: string }) => {
    refused = message.refused;
    endGroup(child);
  });
  const output = collect(child);
  const end = (): void => endGroup(child);
  const stop = signal ? AbortSignal.any([timeout, signal]) : timeout;
  stop.addEventListener('abort', end, { once: true });
  try {
    const [code, ending] = (await once(child, 'exit')) as [number | null, string | null];
    if (refused !== undefined) throw new Error(`'${program}' cannot be started (${refused})`);
    if (timeout.aborted) throw new Error(`it did not end within ${timeoutMs} ms`);
    if (output.isTooLong()) throw new Error(`it said more than ${mostBytes} bytes`);
    const said = await output.lastLine();
    const words = said === '' ? {} : { said };
    if (code === 0) return { outcome: 'pass', ...words };
    if (code === 1) return { outcome: 'fail', ...words };
    throw new Error(`it ended with ${code ?? ending}${said === '' ? '' : `: ${said}`}`);
  } finally {
    stop.removeEventListener('abort', end);
    endGroup(child);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

interface Heard {
  readonly stdout: Readable;
  readonly stderr: Readable;
}

/** Keeps the end of what a command says. */
function collect(child: ChildProcess & Heard) {
  let bytes = 0;
  let kept = '';
  const ended = [child.stdout, child.stderr].map(async (stream) => {
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      kept = (kept + chunk.toString('utf8')).slice(-keptBytes);
      if (bytes > mostBytes) endGroup(child);
    });
    await once(stream, 'close').catch(() => undefined);
  });
  return {
    isTooLong: () => bytes > mostBytes,
    /** Its last words, once all has been read; what it has left running does not hold that up for long. */
    lastLine: async (): Promise<string> => {
      endGroup(child);
      await Promise.race([Promise.all(ended), once(AbortSignal.timeout(200), 'abort')]);
      const line = kept.trimEnd().split('\n').at(-1) ?? '';
      return line
        .replaceAll(/\p{Cc}/gu, ' ')
        .trim()
        .slice(0, longestLine);
    },
  };
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}
