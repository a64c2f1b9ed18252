import { connect } from 'node:net';
import { capacity } from './load.ts';
import { pause } from './processes.ts';
import type { RunningProxy } from './proxies.ts';

export interface Flip {
  /** From the table being sent to the first answer of the new release. */
  readonly firstNewMs: number;
  /** To the last answer of the old one: by then the switch was over for certain. */
  readonly lastOldMs: number;
  /** To the sending of the last request that the old one answered: until then it was not. */
  readonly lastOldAskedMs: number;
  /** To the gateway's word that the table is in force and durable. */
  readonly acknowledgedMs: number;
}

/** Which release answers, and when: a few clients that ask without pause. */
function watchReleases(
  port: number,
  clients: number,
): { readonly answers: { asked: number; at: number; letter: string }[]; stop(): number } {
  const answers: { asked: number; at: number; letter: string }[] = [];
  const request = 'GET /small HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
  let failed = 0;
  let isStopping = false;
  const sockets = Array.from({ length: clients }, () => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let text = '';
    let asked = performance.now();
    const ask = (): void => {
      asked = performance.now();
      socket.write(request);
    };
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      const head = text.indexOf('\r\n\r\n');
      if (head === -1 || text.length < head + 4 + 200) return;
      if (!text.startsWith('HTTP/1.1 200')) failed += 1;
      answers.push({ asked, at: performance.now(), letter: text.at(-1) as string });
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
    const sent = performance.now();
    await proxy.flip(target);
    const acknowledgedMs = performance.now() - sent;
    await pause(400);
    const since = watched.answers.filter(({ at }) => at >= sent);
    const firstNew = since.find((answer) => answer.letter === letter)?.at ?? Number.NaN;
    const lastOld = since.findLast((answer) => answer.letter !== letter)?.at ?? sent;
    const lastOldAsked = Math.max(sent, ...since.filter((answer) => answer.letter !== letter).map(({ asked }) => asked));
    found.push({ firstNewMs: firstNew - sent, lastOldMs: lastOld - sent, lastOldAskedMs: lastOldAsked - sent, acknowledgedMs });
  }
  const failedWatching = watched.stop();
  const { failed, requestsPerSecond } = await load;
  return { flips: found, failed: failed + failedWatching, requestsPerSecond };
}
