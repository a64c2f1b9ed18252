import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from '../../../../effects/files.ts';
import { sluiceError } from '../../../../errors/sluice-error.ts';
import { parsePosition, segmentAt, segmentBefore } from '../archive/wal-names.ts';

/**
 * Each restore begins a new timeline of the log. This is which one the database lived on and since when, so that a time always means what
 * the database held at that time, also before a later restore took it back.
 */
const livedTimeline = z.object({
  timeline: z.number().int().positive(),
  /** RFC 3339; the first begins with the epoch. */
  since: z.string(),
  /** Timelines it goes back to, oldest first, each with the position at which it was left. */
  ancestors: z.array(z.object({ timeline: z.number().int().positive(), until: z.string() })).readonly(),
  /** The restore it began with. */
  restore: z.string().optional(),
});
export type LivedTimeline = z.infer<typeof livedTimeline>;

const first: LivedTimeline = { timeline: 1, since: '1970-01-01T00:00:00.000Z', ancestors: [] };
const fileOf = (folder: string): string => join(folder, 'timelines.json');

/** Oldest first, never empty. */
export async function readTimelines(folder: string, name: string): Promise<readonly LivedTimeline[]> {
  const text = await readFile(fileOf(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return [first];
  try {
    return z.array(livedTimeline).min(1).parse(JSON.parse(text));
  } catch (error) {
    throw sluiceError('local_record_unreadable', { address: name, file: fileOf(folder) }, { cause: error });
  }
}

/** Adds the timeline a restore has begun; once for each restore. */
export async function addTimeline(folder: string, name: string, lived: LivedTimeline): Promise<void> {
  const before = await readTimelines(folder, name);
  if (before.some(({ restore }) => restore === lived.restore)) return;
  await writeDurably(fileOf(folder), `${JSON.stringify([...before, lived], undefined, 2)}\n`);
}

/** The one the database lived on at a time (milliseconds since the epoch), and when that came to its end. */
export function livedAt(timelines: readonly LivedTimeline[], time: number): { lived: LivedTimeline; until: number } {
  const index = Math.max(
    0,
    timelines.findLastIndex(({ since }) => Date.parse(since) <= time),
  );
  const next = timelines[index + 1];
  return { lived: timelines[index] ?? first, until: next ? Date.parse(next.since) : Number.POSITIVE_INFINITY };
}

/** Lines `parent<TAB>position<TAB>reason` of a timeline's history file. */
export function parseHistory(text: string): LivedTimeline['ancestors'] {
  return text.split('\n').flatMap((line) => {
    const [, timeline, until] = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)\s/i.exec(line) ?? [];
    return timeline === undefined || until === undefined ? [] : [{ timeline: Number(timeline), until }];
  });
}

/** Whether a recovery along `lived` can begin with a base backup of `timeline` that ended at `stopPosition`. */
export function leadsFrom(lived: LivedTimeline, timeline: number, stopPosition: string): boolean {
  if (timeline === lived.timeline) return true;
  const ancestor = lived.ancestors.find((candidate) => candidate.timeline === timeline);
  return ancestor !== undefined && parsePosition(stopPosition) <= parsePosition(ancestor.until);
}

/** Timelines a recovery along `lived` reads, newest first, each with its first and last segment. */
export function stretchesOf(lived: LivedTimeline): readonly { timeline: number; first: number; last: number }[] {
  const all = [...lived.ancestors, { timeline: lived.timeline, until: undefined }];
  return all
    .map(({ timeline, until }, index) => ({
      timeline,
      first: index === 0 ? 0 : segmentAt(lived.ancestors[index - 1]?.until ?? '0/0'),
      last: until === undefined ? Number.POSITIVE_INFINITY : segmentBefore(until),
    }))
    .toReversed();
}
