import { connect } from 'node:net';
import { capacity } from './load.ts';
import { pause } from './processes.ts';
import type { RunningProxy } from './proxies.ts';

/** Milliseconds from the table being sent. */
export interface Flip {
  /** To the first answer of the new release. */
  readonly firstNewMs: number;
  /** To the last request that came to an instance of the old one, of all clients: the switch itself. */
  readonly lastOldRequestMs: number;
  /** To the last answer of the old one, as a client sees it. */
  readonly lastOldMs: number;
  /** To the gateway's word that the table is in force and durable. */
  readonly acknowledgedMs: number;
}

/** Which release answers, and when: a few clients that ask without pause. */
function watchReleases(port: number, clients: number): { readonly answers: { at: number; letter: string }[]; stop(): number } {
  const answers: { at: number; letter: string }[] = [];
  const request = 'GET /small HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
  let failed = 0;
  let isStopping = false;
  const sockets = Array.from({ length: clients }, () => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let text = '';
    const ask = (): void => {
      socket.write(request);
    };
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      const head = text.indexOf('\r\n\r\n');
      if (head === -1 || text.length < head + 4 + 200) return;
      if (!text.startsWith('HTTP/1.1 200')) failed += 1;
      answers.push({ at: performance.now(), letter: text.at(-1) as string });
      text = '';
      if (!isStopping) ask();
    });
    socket.on('close', () => {
      if (!isStopping) failed += 1;
    });
    socket.on('error', () => {});
    ask();
    return socket;
  });
  return {
    answers,
    stop: () => {
      isStopping = true;
      for (const socket of sockets) socket.destroy();
      return failed;
    },
  };
}

/** When the upstream at this port was last sent a request: nanoseconds of the clock that all processes share. */
async function lastReceived(port: number): Promise<bigint> {
  return BigInt(await (await fetch(`http://127.0.0.1:${port}/received`)).text());
}

/** Sends all requests from one release to the other and back, again and again, while wrk takes all the proxy can give. */
export async function flips(
  proxy: RunningProxy,
  [a, b]: readonly [number, number],
  times: number,
): Promise<{ readonly flips: readonly Flip[]; readonly failed: number; readonly requestsPerSecond: number }> {
  if (proxy.flip === undefined) throw new Error('this proxy cannot flip');
  const load = capacity(proxy.process.pid as number, `http://127.0.0.1:${proxy.port}/small`, {
    connections: 64,
    seconds: times * 0.5 + 2,
    keepAlive: true,
  });
  const watched = watchReleases(proxy.port, 4);
  const found: Flip[] = [];
  await pause(1_000);
  for (let time = 0; time < times; time += 1) {
    const target = time % 2 === 0 ? b : a;
    const letter = time % 2 === 0 ? 'b' : 'a';
    const [sent, sentAt] = [performance.now(), process.hrtime.bigint()];
    await proxy.flip(target);
    const acknowledgedMs = performance.now() - sent;
    await pause(400);
    const since = watched.answers.filter(({ at }) => at >= sent);
    const firstNew = since.find((answer) => answer.letter === letter)?.at ?? Number.NaN;
    const lastOld = since.findLast((answer) => answer.letter !== letter)?.at ?? sent;
    const lastOldRequestMs = Number((await lastReceived(target === a ? b : a)) - sentAt) / 1e6;
    watched.answers.splice(0);
    found.push({ firstNewMs: firstNew - sent, lastOldMs: lastOld - sent, lastOldRequestMs, acknowledgedMs });
  }
  const failedWatching = watched.stop();
  const { failed, requestsPerSecond } = await load;
  return { flips: found, failed: failed + failedWatching, requestsPerSecond };
}
