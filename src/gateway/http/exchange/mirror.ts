import type { Instance } from '../../balancing/instance.ts';
import type { Finished } from '../../measuring/meter.ts';
import type { Assignment } from '../../routing/split.ts';
import type { RoutedService } from '../../routing/routes.ts';
import type { RequestHead } from '../downstream.ts';
import type { Engine } from '../engine.ts';
import { Copy } from './copy.ts';
import type { Entered } from './entry.ts';
import { Pair } from './pair.ts';

/** A request that is copied, as far as its copy has to know of it. */
export interface MirrorCopy {
  body(chunk: Buffer): void;
  bodyEnd(): void;
  /** It has ended. Of one whose body was not whole by then no copy is sent. */
  ended(finished: Finished): void;
}

/** Copies under way in one process; what is more is not copied, so that a slow mirror costs no memory. */
const copiesAtMost = 128;

/** What a request comes to before it is given to an instance. */
export interface Placed {
  readonly service: RoutedService;
  readonly assigned: Assignment | undefined;
  readonly queuedMs: number;
}

/**
 * Draws whether the request is copied to the service's mirror. Of one without a body the copy is sent at once, otherwise when the whole body
 * has come and is no larger than the mirror takes. Nobody waits for the copy, and its answer is read and dropped; how it ends is counted
 * beside how the request itself does. A request that a tester has sent somewhere is not copied.
 */
export function copyToMirror(engine: Engine, head: RequestHead, { target, fields }: Entered, placed: Placed): MirrorCopy | undefined {
  const { service, assigned, queuedMs } = placed;
  const { mirror } = service;
  if (mirror === undefined || head.upgrade !== undefined || head.expectsContinue) return undefined;
  if (assigned?.by === 'override' || assigned?.backend === mirror.backend) return undefined;
  if (mirror.methods !== undefined && !mirror.methods.includes(head.method)) return undefined;
  if (head.contentLength > mirror.bodyBytes || engine.mirrored.size >= copiesAtMost) return undefined;
  if (engine.point() * 100 >= mirror.percent) return undefined;
  const release = assigned?.backend.release ?? service.backends.at(-1)?.release ?? '';
  const pair = new Pair(release, (counted) => mirror.backend.meter?.copied(counted));
  const text = `${head.method} ${target} HTTP/1.1\r\nx-sluice-mirrored: 1\r\n${fields}`;
  const pieces: Buffer[] = [];
  let size = 0;
  let isSent = false;
  const send = (): void => {
    const instances = inOrder(mirror.backend.ready, mirror.backend.concurrency, engine.point);
    if (instances.length === 0) return;
    isSent = true;
    new Copy(engine, { head, text, pieces, queuedMs }, instances, pair).start();
  };
  if (head.body === 'none') send();
  return {
    body: (chunk) => {
      size += chunk.length;
      if (size <= mirror.bodyBytes) pieces.push(chunk);
      else pieces.length = 0;
    },
    bodyEnd: () => {
      if (!isSent && !pair.isOver && size <= mirror.bodyBytes && engine.mirrored.size < copiesAtMost) send();
    },
    ended: (finished) => {
      if (!isSent) pair.drop();
      else pair.originalEnded(finished);
    },
  };
}

/** The less loaded of two drawn at random, as requests have it, then the others. None that is at its limit: it is not to be overloaded. */
function inOrder(ready: readonly Instance[], concurrency: number | undefined, point: () => number): readonly Instance[] {
  const free = concurrency === undefined ? ready : ready.filter(({ inFlight }) => inFlight < concurrency);
  if (free.length < 2) return free;
  const first = Math.floor(point() * free.length);
  const second = (first + 1 + Math.floor(point() * (free.length - 1))) % free.length;
  const [one, other] = [free[first] as Instance, free[second] as Instance];
  const chosen = other.inFlight < one.inFlight ? other : one;
  return [chosen, ...free.filter((instance) => instance !== chosen)];
}
