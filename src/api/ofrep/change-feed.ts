import type { Clock } from '../../effects/clock.ts';
import type { FlagSet, FlagSets } from '../../flags/flag-sets.ts';
import { changeMessage } from '../../flags/ofrep/answers.ts';
import type { KnownEvaluator } from './evaluator.ts';

/** Whoever keeps a stream of changes open. */
export interface ChangeReader {
  tell(text: Uint8Array): void;
  /** Nothing more will come: its holder may not any longer, or the server closes. */
  end(): void;
}

/** Tells everybody of a change: the message is made and each holder asked after once, however many streams it has. */
export interface ChangeFeed {
  /** Tells of the set as it is, when its revision is beyond `seen`, and of every one that follows. Gives the way to leave. */
  join(evaluator: KnownEvaluator, seen: number, reader: ChangeReader): Promise<() => void>;
}

interface Room {
  readonly readers: Map<ChangeReader, { readonly evaluator: KnownEvaluator; position: number; readonly slot: number }>;
  readonly empty: AbortController;
}

/** Proxies and readers take a connection that is silent for a minute for dead. Each second it is the turn of one of so many parts of the readers. */
const heartbeatSlots = 15;
const heartbeat = new TextEncoder().encode(': heartbeat\n\n');

export function createChangeFeed({
  sets,
  clock,
  closing,
  mayStill,
}: {
  readonly sets: Pick<FlagSets, 'of' | 'follow'>;
  readonly clock: Clock;
  readonly closing: AbortSignal;
  readonly mayStill: (evaluator: KnownEvaluator) => Promise<boolean>;
}): ChangeFeed {
  const rooms = new Map<string, Room>();
  let joined = 0;

  const tellAll = async ({ readers }: Room, set: FlagSet): Promise<void> => {
    const text = messageOf(set);
    const allowed = new Map<string, boolean>();
    const evaluators = new Map(Array.from(readers.values(), ({ evaluator }) => [evaluator.holder, evaluator]));
    for (const [holder, evaluator] of evaluators) allowed.set(holder, await mayStill(evaluator).catch(() => false));
    for (const [reader, member] of readers) {
      // Who has joined meanwhile has just been let in.
      if (allowed.get(member.evaluator.holder) === false) leave(set.environment, reader, 'ended');
      else if (member.position < set.revision) {
        member.position = set.revision;
        reader.tell(text);
      }
    }
  };

  const follow = async (environment: string, room: Room, after: number, signal: AbortSignal): Promise<void> => {
    for await (const set of sets.follow(environment, after, signal)) await tellAll(room, set);
    for (const reader of room.readers.keys()) leave(environment, reader, 'ended');
  };

  const beat = async ({ readers }: Room, signal: AbortSignal): Promise<void> => {
    for (let slot = 0; !signal.aborted; slot = (slot + 1) % heartbeatSlots) {
      await clock.sleep(1_000, signal).catch(() => undefined);
      for (const [reader, member] of readers) if (member.slot === slot) reader.tell(heartbeat);
    }
  };

  const roomOf = ({ environment, revision }: FlagSet): Room => {
    const known = rooms.get(environment);
    if (known !== undefined) return known;
    const room: Room = { readers: new Map(), empty: new AbortController() };
    const signal = AbortSignal.any([room.empty.signal, closing]);
    rooms.set(environment, room);
    void follow(environment, room, revision, signal);
    void beat(room, signal);
    return room;
  };

  const leave = (environment: string, reader: ChangeReader, how: 'ended' | 'left'): void => {
    const room = rooms.get(environment);
    if (room?.readers.delete(reader) !== true) return;
    if (how === 'ended') reader.end();
    if (room.readers.size > 0) return;
    rooms.delete(environment);
    room.empty.abort();
  };

  return {
    join: async (evaluator, seen, reader) => {
      const set = await sets.of(evaluator.environment);
      if (closing.aborted) reader.end();
      else {
        joined += 1;
        roomOf(set).readers.set(reader, { evaluator, position: Math.max(seen, set.revision), slot: joined % heartbeatSlots });
        if (set.revision > seen) reader.tell(messageOf(set));
      }
      return () => leave(evaluator.environment, reader, 'left');
    },
  };
}

/** JSON has no line breaks of its own, so a message is always one `data` line. */
function messageOf(set: FlagSet): Uint8Array {
  const { id, data } = changeMessage(set);
  return new TextEncoder().encode(`id: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
}
