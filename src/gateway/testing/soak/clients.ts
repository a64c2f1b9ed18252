import { createHash } from 'node:crypto';
import { Agent, request, type RequestOptions } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { type Clock, systemClock } from '../../../effects/clock.ts';
import { streamedEvents } from './instances.ts';

const kinds = ['kept alive', 'fresh', 'stream', 'upload', 'WebSocket'] as const;
export type Kind = (typeof kinds)[number];

export interface Failure {
  readonly kind: Kind;
  readonly reason: string;
  /** performance.now() of its beginning and its end. */
  readonly began: number;
  readonly ended: number;
}

/** Clients of every kind, each asking again and again until told to stop, and looking at every byte of what it gets. */
export interface Clients {
  done(): Readonly<Record<Kind, number>>;
  /** Resolves with what failed once all that runs has ended. */
  stop(): Promise<readonly Failure[]>;
}

const between = 4;

export function startClients(port: number, each: Readonly<Record<Kind, number>>, clock: Clock = systemClock): Clients {
  const done: Record<Kind, number> = { 'kept alive': 0, fresh: 0, stream: 0, upload: 0, WebSocket: 0 };
  const failures: Failure[] = [];
  const stopping = new AbortController();
  const agents: Agent[] = [];

  const client = async (kind: Kind): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    while (!stopping.signal.aborted) {
      const began = performance.now();
      const reason = await attempts[kind](port, agent).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
      if (reason === undefined) done[kind] += 1;
      else failures.push({ kind, reason, began, ended: performance.now() });
      await clock.sleep(between);
    }
  };
  const running = Promise.all(kinds.flatMap((kind) => Array.from({ length: each[kind] }, () => client(kind))));
  return {
    done: () => ({ ...done }),
    stop: async () => {
      stopping.abort();
      await running;
      for (const agent of agents) agent.destroy();
      return failures;
    },
  };
}

const uploaded = Buffer.alloc(200_000, 'sluice');
const uploadedDigest = createHash('sha256').update(uploaded).digest('hex');

/** Undefined, or what was wrong. */
type Attempt = (port: number, agent: Agent) => Promise<string | undefined>;

const isNamed = (answer: string): string | undefined => (/^i\d+$/.test(answer) ? undefined : `unexpected answer ${answer.slice(0, 200)}`);

const attempts: Readonly<Record<Kind, Attempt>> = {
  'kept alive': async (port, agent) => isNamed(await ask(port, { agent })),
  fresh: async (port) => isNamed(await ask(port, { agent: false })),
  stream: async (port, agent) => {
    const answer = await ask(port, { agent, path: '/stream' });
    const isWhole = answer.split('\n\n').length === streamedEvents + 2 && answer.endsWith('data: end\n\n');
    return isWhole ? undefined : `a stream was cut or changed: ${answer.slice(-200)}`;
  },
  upload: async (port, agent) => {
    const answer = await ask(port, { agent, path: '/upload', method: 'POST' }, uploaded);
    return answer === uploadedDigest ? undefined : `an upload arrived changed: ${answer.slice(0, 200)}`;
  },
  WebSocket: (port) => talk(port),
};

function ask(port: number, options: RequestOptions, body?: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, ...options, headers: { host: 'app.test' } });
    asked.on('error', reject);
    asked.on('response', (response) => {
      text(response).then((content) => {
        if (response.statusCode === 200) resolve(content);
        else reject(new Error(`${response.statusCode} ${content.slice(0, 200)}`));
      }, reject);
    });
    asked.end(body);
  });
}

const messages = 8;

/** Says something, waits for its echo, and so on; then closes. */
function talk(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, { headers: { host: 'app.test' } });
    let echoed = 0;
    socket.on('open', () => socket.send('message 0'));
    socket.on('message', (data: Buffer) => {
      if (data.toString() !== `message ${echoed}`) resolve(`a WebSocket echoed ${data.toString().slice(0, 100)}`);
      echoed += 1;
      if (echoed === messages) socket.close(1_000);
      else void systemClock.sleep(25).then(() => socket.send(`message ${echoed}`));
    });
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', (code) => resolve(echoed === messages ? undefined : `a WebSocket was cut with ${code} after ${echoed} messages`));
  });
}
