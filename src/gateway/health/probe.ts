import { connect } from 'node:net';
import { http } from '../../effects/builtins.ts';

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  /** HTTP GET of this path, healthy for 2xx and 3xx; without one, whether a connection can be made. */
  readonly path?: string | undefined;
  readonly timeoutMs: number;
}

export type ProbeOutcome = 'passed' | 'failed' | 'unreachable';

/** One check on a connection of its own. Never rejects; ends within its time. */
export function probe(target: ProbeTarget): Promise<ProbeOutcome> {
  return target.path === undefined ? probeTcp(target) : probeHttp(target, target.path);
}

function probeTcp({ host, port, timeoutMs }: ProbeTarget): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (outcome: ProbeOutcome): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(timeoutMs, () => finish('failed'));
    socket.once('connect', () => finish('passed'));
    socket.once('error', (error) => finish(outcomeOf(error)));
  });
}

function probeHttp({ host, port, timeoutMs }: ProbeTarget, path: string): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const finish = (outcome: ProbeOutcome): void => {
      clearTimeout(timer);
      resolve(outcome);
      check.destroy();
    };
    const check = http.request({ host, port, path, agent: false, headers: { 'user-agent': 'sluice-gateway' } });
    // A timer for the whole check: a socket timeout would never fire for an answer that trickles.
    const timer = setTimeout(() => finish('failed'), timeoutMs);
    check.on('response', (response) => {
      const status = response.statusCode ?? 0;
      finish(status >= 200 && status < 400 ? 'passed' : 'failed');
    });
    check.on('error', (error) => finish(outcomeOf(error)));
    check.end();
  });
}

function outcomeOf(error: NodeJS.ErrnoException): ProbeOutcome {
  return error.code === 'ECONNREFUSED' || error.code === 'EHOSTUNREACH' ? 'unreachable' : 'failed';
}
