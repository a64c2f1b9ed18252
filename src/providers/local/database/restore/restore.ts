import { chown, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Clock } from '../../../../effects/clock.ts';
import type { Random } from '../../../../effects/random.ts';
import { sluiceError } from '../../../../errors/sluice-error.ts';
import type { Operation } from '../../../provider.ts';
import type { ServerUser } from '../../server/server-user.ts';
import { archivedAt, archivedFiles, availableSegments, makeArchive, putInArchive } from '../archive/wal-archive.ts';
import { historyName, segmentAt, segmentName } from '../archive/wal-names.ts';
import { type CopiedFile, contentOf, copyFiles } from '../backup/copy-files.ts';
import { backupFolder, type Manifest, readManifests } from '../backup/manifest.ts';
import { type ServerSettings, writeSettings } from '../cluster.ts';
import { findServer, haltServer, haltServerOn } from '../postgres-server.ts';
import { type Endpoint, withAdministrator } from '../roles.ts';
import { checkRecovered } from './check-recovered.ts';
import { type Candidate, type Chosen, chooseRecovery } from './choose.ts';
import { preparingFolder, settleRestore, writeJournal } from './journal.ts';
import { recover } from './recovery-server.ts';
import { type Moment, momentAt, parseMoment } from './target.ts';
import { type LivedTimeline, parseHistory, readTimelines } from './timelines.ts';

export interface RestoreSpec {
  readonly name: string;
  /** The database on the server. */
  readonly database: string;
  /** Folder of the server. */
  readonly folder: string;
  readonly programs: string;
  readonly user: ServerUser | undefined;
  readonly endpoint: Endpoint;
  readonly settings: ServerSettings;
  readonly clock: Clock;
  readonly random: Random;
}

export type PossibleRecovery = Chosen & { readonly outcome: 'possible' };

/**
 * How the database would go back to `to` (RFC 3339, or `latest`): with which backup and how much of the log. Throws when it cannot:
 * `database_no_backup`, `database_restore_too_early`, `database_restore_in_future`, `database_wal_missing`. Changes nothing.
 */
export async function planRecovery(
  spec: Pick<RestoreSpec, 'name' | 'folder' | 'clock'>,
  to: string,
): Promise<{ readonly moment: Moment; readonly chosen: PossibleRecovery }> {
  const { name, folder, clock } = spec;
  const now = clock.now();
  const moment = to === 'latest' ? momentAt(now) : parseMoment(to);
  if (moment.time > now) throw sluiceError('database_restore_in_future', { name, to, now: new Date(now).toISOString() });
  const source = {
    manifests: await readManifests(folder),
    timelines: await readTimelines(folder, name),
    segments: await availableSegments(folder),
  };
  const chosen = chooseRecovery(source, moment.time);
  if (chosen.outcome === 'no backup') throw sluiceError('database_no_backup', { name });
  if (chosen.outcome === 'too early') throw sluiceError('database_restore_too_early', { name, to, earliest: chosen.earliest });
  await refuseGap(spec, chosen.candidates[0], moment);
  return { moment, chosen };
}

/** A gap in the log matters when the time lies beyond it. */
async function refuseGap({ name, folder }: Pick<RestoreSpec, 'name' | 'folder'>, { log }: Candidate, moment: Moment): Promise<void> {
  if (log.missing === undefined) return;
  const until = log.lastBefore === undefined ? undefined : await archivedAt(folder, log.lastBefore);
  if (until !== undefined && moment.time <= until) return;
  const whole = until === undefined ? {} : { until: new Date(until).toISOString() };
  throw sluiceError('database_wal_missing', { name, segment: log.missing, ...whole });
}

export interface Restored {
  /** RFC 3339; the last transaction that is part of it. Undefined when the log held none after the backup. */
  readonly recoveredTo: string | undefined;
  readonly backup: string;
  readonly timeline: number;
}

/**
 * Prepares a second server from a base backup and the log, checks it, and puts its data in the place of the first one's. Whatever fails
 * before that leaves the first server as it is, with all its data. Returns and throws with no server running on the new data, and perhaps
 * none on the old: the caller starts the one that is there.
 */
export async function restoreDatabase(spec: RestoreSpec, to: string, operation: Operation): Promise<Restored> {
  const { name, folder, clock } = spec;
  await makeArchive(folder, spec.user);
  const running = (await findServer(folder)) !== undefined;
  // Refused before anything is asked of the running server.
  await planRecovery(spec, to);
  const { moment, chosen } = await planRecovery(spec, await reachableTarget(spec, to, running));
  const data = preparingFolder(folder);
  try {
    await writeJournal(folder, { phase: 'preparing', restore: operation.id });
    const candidate = await copyFirstUndamaged(spec, chosen, operation);
    await refuseGap(spec, candidate, moment);
    await writeSettings(data, spec.settings, spec.user);
    operation.progress(`recovering to ${moment.text} with ${candidate.log.count} segments of the log`);
    const target = running || to !== 'latest' ? moment : undefined;
    const { endpoint, reached } = await recoverTo(spec, chosen.lived.timeline, candidate, target, operation);
    operation.progress('checking the recovered database');
    const checked = await checkRecovered(spec, endpoint, moment);
    const ancestors = await keepHistory(spec, checked.timeline);
    if (reached === 'end of the log') await refuseEarlyEnd(spec, chosen, ancestors);
    await haltServerOn(data, name, clock);
    operation.signal.throwIfAborted();
    operation.progress('stopping the server that is replaced');
    await haltServer(folder, name, clock);
    await writeJournal(folder, { phase: 'decided', restore: operation.id, at: clock.now(), timeline: checked.timeline, ancestors });
    operation.progress('swapping');
    await settleRestore(folder, name, clock);
    return { recoveredTo: checked.recoveredTo, backup: candidate.manifest.id, timeline: checked.timeline };
  } catch (error) {
    // Forward when it was decided, back when not: settling knows.
    await settleRestore(folder, name, clock);
    throw error;
  } finally {
    await rm(join(folder, 'restore.log'), { force: true });
  }
}

/**
 * A recovery to a time ends at the first transaction after it, so there has to be one: the running server makes it, and finishes the
 * segment it is in. Then `latest` is this moment.
 */
async function reachableTarget(spec: RestoreSpec, to: string, running: boolean): Promise<string> {
  if (!running) return to;
  return withAdministrator(spec.endpoint, async (client) => {
    const { rows } = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    await spec.clock.sleep(2);
    await client.query('SELECT pg_current_xact_id()');
    await client.query('SELECT pg_switch_wal()');
    return to === 'latest' ? (rows[0]?.now.toISOString() ?? to) : to;
  });
}

async function copyFirstUndamaged(spec: RestoreSpec, chosen: PossibleRecovery, operation: Operation): Promise<Candidate> {
  const damaged: string[] = [];
  for (const candidate of chosen.candidates) {
    const { manifest } = candidate;
    operation.progress(`copying ${manifest.id} of ${manifest.stoppedAt} (${Math.ceil(manifest.bytes / 2 ** 20)} MiB)`);
    await rm(preparingFolder(spec.folder), { recursive: true, force: true });
    if (await copyChecked(spec, manifest, operation.signal)) return candidate;
    damaged.push(manifest.id);
    operation.progress(`${manifest.id} is damaged: going further back`);
  }
  throw sluiceError('database_backup_damaged', { name: spec.name, backups: damaged });
}

/** False when the copy is not what the manifest says the backup is. */
async function copyChecked({ folder, user }: RestoreSpec, manifest: Manifest, signal: AbortSignal): Promise<boolean> {
  const from = join(backupFolder(folder, manifest.id), 'data');
  const data = preparingFolder(folder);
  const content = await contentOf(from, () => true);
  const copied = new Map<string, CopiedFile>();
  for (const file of await copyFiles(from, data, content, { user, synced: false, signal })) copied.set(file.path, file);
  const whole = manifest.files.every(({ path, size, sha256 }) => {
    const copy = copied.get(path);
    return copy?.size === size && copy.sha256 === sha256;
  });
  if (!whole || copied.size !== manifest.files.length) return false;
  const label = join(data, 'backup_label');
  await writeFile(label, manifest.label, { mode: 0o600, flush: true });
  if (user) await chown(label, user.uid, user.gid);
  return true;
}

async function recoverTo(
  spec: RestoreSpec,
  timeline: number,
  { log }: Candidate,
  moment: Moment | undefined,
  operation: Operation,
): Promise<{ readonly endpoint: Endpoint; readonly reached: 'the time' | 'end of the log' }> {
  const { host, password } = spec.endpoint;
  const recovery = { ...spec, data: preparingFolder(spec.folder), host, password, timeline };
  const recovered = await recover(recovery, moment?.text, operation);
  if (recovered.outcome === 'ready') return { endpoint: recovered.endpoint, reached: moment ? 'the time' : 'end of the log' };
  if (log.missing !== undefined) throw sluiceError('database_wal_missing', { name: spec.name, segment: log.missing });
  // The log is whole and nothing was committed after the time: its end is what was wanted.
  const again = await recover(recovery, undefined, operation);
  if (again.outcome === 'ready') return { endpoint: again.endpoint, reached: 'end of the log' };
  throw sluiceError('database_restore_failed', { name: spec.name, reason: 'the end of the log was not reached' });
}

/** A timeline whose history is in the archive can be recovered along, and its number is never given out again. */
async function keepHistory({ name, folder, user, random }: RestoreSpec, timeline: number): Promise<LivedTimeline['ancestors']> {
  const file = historyName(timeline);
  const history = await readFile(join(preparingFolder(folder), 'pg_wal', file));
  await putInArchive(folder, file, history, { user, random });
  const kept = (await archivedFiles(folder)).find((archived) => archived.name === file);
  if (!kept || !gunzipSync(await readFile(kept.file)).equals(history)) {
    throw sluiceError('database_restore_failed', { name, reason: `the archive holds another ${file}` });
  }
  return parseHistory(history.toString('utf8'));
}

/** A recovery takes what it cannot read for the end of the log: it must not end before the last segment in the archive. */
async function refuseEarlyEnd(
  { name, folder }: RestoreSpec,
  { lived }: PossibleRecovery,
  ancestors: LivedTimeline['ancestors'],
): Promise<void> {
  const archived = (await archivedFiles(folder)).flatMap(({ segment }) => (segment?.timeline === lived.timeline ? [segment.number] : []));
  const ended = segmentAt(ancestors.at(-1)?.until ?? '0/0');
  if (archived.every((number) => number <= ended)) return;
  throw sluiceError('database_wal_missing', { name, segment: segmentName({ timeline: lived.timeline, number: ended }) });
}
