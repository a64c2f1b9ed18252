/** How requests fare that come at random to places that each take one at a time. */
export interface Flow {
  /** Requests at work, on average. */
  readonly busy: number;
  /** Requests that wait for a place, on average. */
  readonly waiting: number;
  /** Milliseconds that each waits, on average. */
  readonly waitMs: number;
}

/** Fuller than this, the number that waits is what has piled up: an average over all time says nothing of the next minute. */
const full = 0.95;

/**
 * M/M/c (Erlang C, by the recursion of Erlang B: Gross and Harris, "Fundamentals of Queueing Theory", 2.3): `perSecond` requests that each
 * take `serviceMs`, over `places`. `backlog`: what has piled up while more came than could be served.
 */
export function flowOf(load: {
  readonly perSecond: number;
  readonly serviceMs: number;
  readonly places: number;
  readonly backlog: number;
}): Flow {
  const { perSecond, serviceMs, places, backlog } = load;
  if (perSecond <= 0 && backlog <= 0) return { busy: 0, waiting: 0, waitMs: 0 };
  const offered = (perSecond * serviceMs) / 1_000;
  const average = meanWaiting(Math.min(offered, full * places), places);
  const waitMs = Math.max(perSecond > 0 ? (1_000 * average) / perSecond : 0, (backlog * serviceMs) / places);
  return { busy: Math.min(places, offered + backlog), waiting: Math.max(backlog, average), waitMs };
}

/** How much has piled up after `ms` more. */
export function backlogAfter(
  load: { readonly perSecond: number; readonly serviceMs: number; readonly places: number; readonly backlog: number },
  ms: number,
): number {
  const { perSecond, serviceMs, places, backlog } = load;
  return Math.max(0, backlog + ((perSecond - (places / serviceMs) * 1_000) * ms) / 1_000);
}

const known = new Map<string, number>();

function meanWaiting(offered: number, places: number): number {
  const key = `${offered.toFixed(3)}/${places}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  let blocked = 1;
  for (let place = 1; place <= places; place += 1) blocked = (offered * blocked) / (place + offered * blocked);
  const used = offered / places;
  const waits = blocked / (1 - used * (1 - blocked));
  const waiting = (waits * used) / (1 - used);
  known.set(key, waiting);
  return waiting;
}
