import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readKeyFile } from '../access/key-file.ts';
import { httpSend } from '../api/client/http-send.ts';
import { systemClock } from '../effects/clock.ts';
import { isAlive, startDetached, tailOf } from '../effects/processes.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { homePaths, openHome, readRecord } from './home.ts';

/**
 * For the process of a control plane. Without a bound the space for young objects grows to some 100 MB as soon as a large stack is read,
 * and stays.
 */
export const controlPlaneFlags: readonly string[] = ['--max-semi-space-size=8'];

/** A control plane that answers, and the key of the local user for it. */
export interface FoundControlPlane {
  readonly url: string;
  readonly key: string;
  readonly pid: number;
}

export interface StartRequest {
  /** SLUICE_HOME: where all state lives. Created when missing. */
  readonly home: string;
  /** Folder the paths of stacks are relative to. */
  readonly root: string;
  /** Address to listen on; loopback when absent. Anything else is served in plain HTTP: put a proxy that speaks TLS in front. */
  readonly host?: string;
  /** A fixed port; any free one, and the same again after a restart, when absent. */
  readonly port?: number;
  /** `sqlite` or the URL of a PostgreSQL database; what the home remembers when absent. Given by the environment, never by argv. */
  readonly store?: string;
}

/** Opening the store and the first listening, on a slow machine. */
const patienceMs = 120_000;
/** A process that listens answers at once unless something is very wrong. */
const answerPatienceMs = 15_000;

/**
 * The control plane that serves `home`. Waits for one that is just starting; undefined when no process is alive. Rejects with
 * `control_plane_unreachable` when the process lives but does not answer.
 */
export async function findControlPlane(home: string): Promise<FoundControlPlane | undefined> {
  const begun = systemClock.monotonic();
  for (;;) {
    const record = await readRecord(resolve(home));
    if (record === undefined || !isAlive(record)) return undefined;
    if (record.url !== undefined && (await answers(record.url))) {
      return { url: record.url, key: await readKeyFile(homePaths(resolve(home)).adminKey), pid: record.pid };
    }
    if (systemClock.monotonic() - begun > (record.url === undefined ? patienceMs : answerPatienceMs)) {
      throw sluiceError('control_plane_unreachable', { reason: `process ${record.pid} runs but is silent` });
    }
    await systemClock.sleep(50);
  }
}

/** Whether the last control plane of `home` ended with everything it had started, so that nothing can be left to stop. */
export async function wasStoppedCleanly(home: string): Promise<boolean> {
  return (await readRecord(resolve(home)))?.stoppedAt !== undefined;
}

/**
 * Finds the control plane of `home`, or starts one in the background and waits until it answers. The new process inherits this
 * process's environment: `secret` blocks that read variables see the values of the shell that started it.
 * Rejects with `control_plane_did_not_start` and the end of its log.
 */
export async function startControlPlane({ home, root, host, port, store }: StartRequest): Promise<FoundControlPlane> {
  const running = await findControlPlane(home);
  if (running !== undefined) return running;
  const paths = await openHome(resolve(home));
  const listening = [...(host === undefined ? [] : ['--host', host]), ...(port === undefined ? [] : ['--port', String(port)])];
  const started = await startDetached({
    command: [process.execPath, ...controlPlaneFlags, entryFile(), '--home', paths.home, '--root', resolve(root), ...listening],
    directory: paths.home,
    // Compiled modules are kept for the next start, which is then about twice as fast.
    environment: { NODE_COMPILE_CACHE: paths.compileCache, ...inherited(), ...(store !== undefined && { SLUICE_STORE: store }) },
    logFile: paths.outputLog,
  });
  const ended = started.exit.then(({ code, signal }) => ({
    reason: signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`,
  }));
  const deadline = systemClock.monotonic() + patienceMs;
  while (systemClock.monotonic() < deadline) {
    const found = await findControlPlane(home);
    if (found !== undefined) return found;
    const end = await Promise.race([ended, systemClock.sleep(50)]);
    if (end === undefined) continue;
    // When two are started at once, one finds the home taken and ends: then the other one is who we look for.
    const other = await findControlPlane(home);
    if (other !== undefined) return other;
    throw sluiceError('control_plane_did_not_start', { reason: end.reason, log: (await tailOf(paths.outputLog)).trim() });
  }
  throw sluiceError('control_plane_did_not_start', {
    reason: `it did not answer within ${patienceMs / 1000} seconds`,
    log: (await tailOf(paths.log)).trim(),
  });
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await httpSend(`${url}/healthz`, { headers: {}, signal: AbortSignal.timeout(2_000), redirect: 'error' });
    return response.ok && ((await response.json()) as { status?: unknown }).status === 'ok';
  } catch {
    return false;
  }
}

/** main.ts in a clone, main.js when compiled. */
function entryFile(): string {
  const here = fileURLToPath(import.meta.url);
  return fileURLToPath(new URL(`./main${extname(here)}`, import.meta.url));
}

function inherited(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined));
}
