import { request } from 'node:http';

/** Clients that send one request after the other, each on a connection of its own, until they are told to stop. */
export interface Load {
  /** Requests that have been answered with 200 so far. */
  answered(): number;
  /** Ends after the requests that run; what failed, with the moment (performance.now) the request began. */
  stop(): Promise<readonly Failure[]>;
}

interface Failure {
  readonly began: number;
  readonly reason: string;
}

export function createLoad(port: number, { clients = 8, path = '/' } = {}): Load {
  const failures: Failure[] = [];
  let answered = 0;
  const stopping = new AbortController();

  const once = (): Promise<void> =>
    new Promise((resolve) => {
      const began = performance.now();
      const fail = (reason: string): void => {
        failures.push({ began, reason });
        resolve();
      };
      const asked = request({ host: '127.0.0.1', port, path, agent: false, headers: { host: 'app.test' } });
      asked.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
      asked.on('response', (response) => {
        response.on('error', (error) => fail(error.message));
        response.on('end', () => {
          if (response.statusCode === 200) answered += 1;
          else failures.push({ began, reason: String(response.statusCode) });
          resolve();
        });
        response.resume();
      });
      asked.end();
    });
  const client = async (): Promise<void> => {
    while (!stopping.signal.aborted) await once();
  };
  const running = Promise.all(Array.from({ length: clients }, client));

  return {
    answered: () => answered,
    stop: async () => {
      stopping.abort();
      await running;
      return failures;
    },
  };
}
