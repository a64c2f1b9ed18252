import { Agent, request, type IncomingMessage, type RequestOptions } from 'node:http';
import { systemClock } from '../src/effects/clock.ts';

export interface Load {
  /** Answers and failures so far. */
  readonly answered: number;
  readonly failures: readonly string[];
  /** How many answers each value of the body's field `release` gave. */
  stop(): Promise<{ answered: number; failures: readonly string[] }>;
}

/**
 * Keeps `concurrency` requests in flight over kept-alive connections until stopped, or sends the next of each `pauseMs` after an answer.
 * Everything but a complete 200 is a failure.
 */
export function startLoad(url: string, options: { host?: string; concurrency: number; body?: string; pauseMs?: number }): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: options.concurrency });
  const failures: string[] = [];
  const state = { answered: 0, running: true };

  const worker = async (): Promise<void> => {
    while (state.running) {
      try {
        const { status, text } = await send(url, agent, options);
        if (status === 200) state.answered += 1;
        else failures.push(`${status} ${text.slice(0, 200)}`);
      } catch (error) {
        failures.push((error as Error).message);
      }
      if (options.pauseMs !== undefined) await systemClock.sleep(options.pauseMs);
    }
  };
  const workers = Array.from({ length: options.concurrency }, worker);

  return {
    get answered() {
      return state.answered;
    },
    failures,
    stop: async () => {
      state.running = false;
      await Promise.all(workers);
      agent.destroy();
      return { answered: state.answered, failures };
    },
  };
}

/** One request; rejects when the answer is cut short. */
export function send(
  url: string,
  agent: Agent | undefined,
  options: { host?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; text: string; headers: IncomingMessage['headers'] }> {
  return new Promise((resolve, reject) => {
    const settings: RequestOptions = {
      agent,
      method: options.body === undefined ? 'GET' : 'POST',
      headers: {
        ...(options.host && { host: options.host }),
        ...(options.body !== undefined && { 'content-type': 'application/json' }),
        ...options.headers,
      },
    };
    const outgoing = request(url, settings, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.once('end', () => {
        if (answer.complete) resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers });
        else reject(new Error('the answer was cut short'));
      });
      answer.once('error', reject);
    });
    outgoing.once('error', reject);
    outgoing.end(options.body);
  });
}
