import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '../digest/json.ts';
import { writeDurably } from '../effects/files.ts';
import { sluiceError } from '../errors/sluice-error.ts';

/** Where everything of one control plane stands. */
export interface HomePaths {
  readonly home: string;
  readonly record: string;
  readonly lock: string;
  readonly adminKey: string;
  readonly state: string;
  /** URL of the PostgreSQL database that holds the state instead of `state`. */
  readonly storeUrl: string;
  readonly stateKey: string;
  readonly backups: string;
  /** Where the audit log ends, kept outside its database. */
  readonly auditHead: string;
  readonly logs: string;
  readonly log: string;
  /** What the process writes outside its log: a crash before the log is open. */
  readonly outputLog: string;
  readonly compileCache: string;
}

export function homePaths(home: string): HomePaths {
  const logs = join(home, 'logs');
  return {
    home,
    record: join(home, 'control-plane.json'),
    lock: join(home, 'control-plane.lock'),
    adminKey: join(home, 'admin.key'),
    state: join(home, 'state.db'),
    storeUrl: join(home, 'store.url'),
    stateKey: join(home, 'state.key'),
    backups: join(home, 'backups'),
    auditHead: join(home, 'audit.head'),
    logs,
    log: join(logs, 'control-plane.log'),
    outputLog: join(logs, 'control-plane.out.log'),
    compileCache: join(home, 'compile-cache'),
  };
}

/** Servers that drop root keep their data below the home, and their group alone may pass through it; listing and reading it stays ours. */
const ownModes: ReadonlySet<number> = new Set([0o700, 0o710]);

/** Creates the home when missing and makes sure that it belongs to this user alone. */
export async function openHome(home: string): Promise<HomePaths> {
  const paths = homePaths(home);
  await mkdir(home, { recursive: true, mode: 0o700 }).catch((thrown: NodeJS.ErrnoException) => {
    throw sluiceError('home_exposed', { home, reason: `it cannot be made (${thrown.code})` }, { cause: thrown });
  });
  const found = await stat(home);
  if (!found.isDirectory()) throw sluiceError('home_exposed', { home, reason: 'it is not a folder' });
  if (found.uid !== process.getuid?.()) throw sluiceError('home_exposed', { home, reason: 'it belongs to another user' });
  if (!ownModes.has(found.mode & 0o777)) await chmod(home, 0o700);
  await mkdir(paths.logs, { recursive: true, mode: 0o700 });
  return paths;
}

/** Who serves a home: the file control-plane.json. Left behind by a crash, so a reader checks that the process is alive. */
export interface ControlPlaneRecord {
  readonly pid: number;
  readonly startTime: string;
  /** Absent until it listens. */
  readonly url?: string | undefined;
  readonly root: string;
  readonly startedAt: string;
  /** Written last, when it ended with everything it had started: nothing of this home runs. A start removes it. */
  readonly stoppedAt?: string | undefined;
}

/** By hand: every command reads it before anything else, and a library of schemas takes longer to load than all the rest. */
function isRecord(value: unknown): value is ControlPlaneRecord {
  if (!isJsonObject(value)) return false;
  const { pid, startTime, url, root, startedAt, stoppedAt } = value;
  const isProcess = typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0;
  const isReached = url === undefined || (typeof url === 'string' && URL.parse(url)?.protocol === 'http:');
  const times = [startTime, startedAt, stoppedAt ?? ''];
  return isProcess && isReached && typeof root === 'string' && times.every((time) => typeof time === 'string');
}

export async function readRecord(home: string): Promise<ControlPlaneRecord | undefined> {
  try {
    const found: unknown = JSON.parse(await readFile(homePaths(home).record, 'utf8'));
    return isRecord(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

export async function writeRecord(home: string, record: ControlPlaneRecord): Promise<void> {
  await writeDurably(homePaths(home).record, `${JSON.stringify(record, undefined, 2)}\n`, 0o600);
}
