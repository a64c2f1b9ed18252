import { connect } from 'node:net';
import { until } from '../../../testing/conditions.ts';
import type { CorpusCase } from './corpus-case.ts';
import type { RecordingUpstream } from './recording-upstream.ts';

/** What became of a case: undefined when it is as it has to be. */
export interface Verdict {
  readonly name: string;
  readonly complaint: string | undefined;
}

interface Seen {
  readonly answer: string;
  readonly isClosed: boolean;
}

const atOnce = 24;
/** How long a connection may stay open after the last byte from either side. */
const defaultCloseMs = 8_000;

/** Sends all cases to a gateway with that upstream behind it, some at a time, and says of each whether it met its fate. */
export async function runCorpus(
  port: number,
  upstream: RecordingUpstream,
  cases: readonly CorpusCase[],
  closeMs = defaultCloseMs,
): Promise<readonly Verdict[]> {
  const answers: Seen[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < cases.length; index = next++) {
      answers[index] = await play(
        port,
        bytesOf(cases[index] as CorpusCase, index),
        (cases[index] as CorpusCase).endsEarly === true,
        closeMs,
      );
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const expected = cases.reduce((sum, each) => sum + (each.forwarded?.length ?? 0), 0);
  await until('what was accepted to be recorded', () => upstream.requests.length >= expected, 3_000).catch(() => {});
  return cases.map((each, index) => ({ name: each.name, complaint: complaintOf(each, index, answers[index] as Seen, upstream) }));
}

const idOf = (index: number): string => `case${index}-`;

function bytesOf({ bytes }: CorpusCase, index: number): Buffer {
  return Buffer.from(bytes.replaceAll('{id}', idOf(index)), 'latin1');
}

function complaintOf(each: CorpusCase, index: number, { answer, isClosed }: Seen, upstream: RecordingUpstream): string | undefined {
  const own = upstream.requests.filter(({ target }) => target.includes(idOf(index)));
  const received = own.map(({ method, target, body }) => `${method} ${target} ${body}`);
  const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((found) => Number(found[1])).filter((status) => status >= 200);
  const told = `answers ${statuses.join(' ') || 'none'}${isClosed ? '' : ', left open'}, forwarded ${JSON.stringify(received).slice(0, 300)}`;
  if (own.some(({ target }) => target.includes('smuggled'))) return `SMUGGLED: ${told}`;
  if (!isClosed) return `not closed: ${told}`;
  const wanted = (each.forwarded ?? []).map((request) => request.replaceAll('{id}', idOf(index)));
  if (JSON.stringify(received) !== JSON.stringify(wanted)) return `wanted ${JSON.stringify(wanted).slice(0, 300)} forwarded, but ${told}`;
  if (each.fate === 'accepted') {
    if (each.endsRefused === true && !isRefusal(statuses.pop())) return `not refused at its end: ${told}`;
    return statuses.length === wanted.length && statuses.every((status) => status === 200) ? undefined : `not answered: ${told}`;
  }
  const isRight = (each.fate === 'dropped' && statuses.length === 0) || (statuses.length === 1 && isRefusal(statuses[0]));
  return isRight ? undefined : `not ${each.fate}: ${told}`;
}

function isRefusal(status: number | undefined): boolean {
  return status !== undefined && ((status >= 400 && status < 500) || status === 501);
}

/** Sends the bytes and gathers what comes back until the other side has closed. */
function play(port: number, bytes: Buffer, endsEarly: boolean, closeMs: number): Promise<Seen> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let answer = '';
    const finish = (isClosed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ answer, isClosed });
    };
    const timer = setTimeout(finish, closeMs, false);
    socket.on('data', (data: Buffer) => {
      answer += data.toString('latin1');
      timer.refresh();
    });
    socket.on('end', () => finish(true));
    socket.on('error', () => finish(true));
    socket.on('close', () => finish(true));
    if (endsEarly) socket.end(bytes);
    else socket.write(bytes);
  });
}
