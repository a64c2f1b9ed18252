import { existsSync, readFileSync } from 'node:fs';
import { damaged } from './sqlite-schema.ts';

const headerBytes = 32;
const frameHeaderBytes = 24;

/**
 * Refuses a write-ahead log that has lost commits. SQLite reads such a log up to the first frame whose checksum does not hold and takes
 * the rest for the end of a write that a crash cut short. It cannot be that when two commits follow: each commit is synced before the
 * next begins, so the first of them was acknowledged. Format: https://www.sqlite.org/fileformat2.html#walformat
 */
export function demandNoLostCommits(path: string): void {
  // A log that another process writes this very moment may look broken once; damage stays.
  for (let look = 0; look < 3; look += 1) if (!lostCommits(`${path}-wal`)) return;
  throw damaged(path, 'its write-ahead log is broken in the middle and has lost acknowledged changes');
}

function lostCommits(file: string): boolean {
  if (!existsSync(file)) return false;
  const log = readFileSync(file);
  return log.length > headerBytes && commitsAfterBreak(log) >= 2;
}

/** How many commits of the log's current round stand at or behind the first frame that does not hold. */
function commitsAfterBreak(log: Buffer): number {
  const magic = log.readUInt32BE(0);
  const pageSize = log.readUInt32BE(8);
  const known =
    (magic & 0xff_ff_ff_fe) >>> 0 === 0x37_7f_06_82 && pageSize >= 512 && pageSize <= 65_536 && (pageSize & (pageSize - 1)) === 0;
  let sum: Sum = known ? checksum(log, 0, 24, magic, [0, 0]) : [0, 0];
  let whole = known && matches(log, 24, sum);
  // A header that does not hold hides every frame; then the salts are those of the first frame.
  const salts = whole ? log.subarray(16, 24) : log.subarray(headerBytes + 8, headerBytes + 16);
  const size = known ? pageSize : 4_096;
  let commits = 0;
  for (let at = headerBytes; at + frameHeaderBytes + size <= log.length; at += frameHeaderBytes + size) {
    const ofThisRound = log.subarray(at + 8, at + 16).equals(salts);
    if (whole) {
      sum = checksum(log, at, 8, magic, sum);
      sum = checksum(log, at + frameHeaderBytes, size, magic, sum);
      whole = ofThisRound && matches(log, at + 16, sum);
    }
    if (!whole && ofThisRound && log.readUInt32BE(at + 4) !== 0) commits += 1;
  }
  return commits;
}

type Sum = readonly [number, number];

function checksum(log: Buffer, from: number, length: number, magic: number, [first, second]: Sum): Sum {
  const read = (magic & 1) === 1 ? (at: number) => log.readUInt32BE(at) : (at: number) => log.readUInt32LE(at);
  let [s0, s1] = [first, second];
  for (let at = from; at < from + length; at += 8) {
    s0 = (s0 + read(at) + s1) >>> 0;
    s1 = (s1 + read(at + 4) + s0) >>> 0;
  }
  return [s0, s1];
}

function matches(log: Buffer, at: number, [s0, s1]: Sum): boolean {
  return log.readUInt32BE(at) === s0 && log.readUInt32BE(at + 4) === s1;
}
