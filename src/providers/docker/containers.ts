import { z } from 'zod';
import { identify } from '../../effects/processes.ts';
import type { ProcessIdentity } from '../../effects/processes.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { JsonObject } from '../../digest/json.ts';
import { type Answer, type CallOptions, type Engine, reasonIn } from './engine.ts';

export interface SeenContainer {
  readonly container: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: 'created' | 'running' | 'ended';
  /** Of one that runs. */
  readonly process?: ProcessIdentity;
  /** Of one that has ended. */
  readonly code: number;
  readonly outOfMemory: boolean;
  readonly stopSignal: string;
}

interface ListedContainer {
  readonly container: string;
  readonly names: readonly string[];
  /** Also those of its image, of which anybody may have made containers. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Containers of an engine by name or id. Throws `engine_unreachable`, and `engine_failed` for what the engine cannot do. */
export interface Containers {
  /** The id of the new one, or undefined when the name is taken. */
  create(name: string, request: JsonObject): Promise<string | undefined>;
  /** Why it could not be started; undefined when it was. */
  start(container: string): Promise<string | undefined>;
  inspect(nameOrId: string, options?: CallOptions): Promise<SeenContainer | undefined>;
  /** All that carry a label, running or not. */
  list(label: string, options?: CallOptions): Promise<readonly ListedContainer[]>;
  /** Success when it does not run or is gone. */
  signal(container: string, signal: string): Promise<void>;
  /** Whether it has ended within the time, or is gone. */
  waitUntilEnded(container: string, limitMs: number): Promise<boolean>;
  /** Ends it if it runs, and removes it with its anonymous volumes. Success when it is gone. */
  remove(container: string): Promise<void>;
}

const created = z.looseObject({ Id: z.string() });
const listed = z.array(
  z.looseObject({ Id: z.string(), Names: z.array(z.string()).nullish(), Labels: z.record(z.string(), z.string()).nullish() }),
);
const inspected = z.looseObject({
  Id: z.string(),
  State: z.looseObject({
    Status: z.string(),
    Running: z.boolean(),
    Pid: z.number(),
    ExitCode: z.number(),
    OOMKilled: z.boolean().optional(),
  }),
  Config: z.looseObject({ Labels: z.record(z.string(), z.string()).nullish(), StopSignal: z.string().optional() }),
});

export function createContainers(engine: Engine): Containers {
  return {
    async create(name, request) {
      const answer = await engine.call('POST', `/containers/create?name=${encodeURIComponent(name)}`, { body: request });
      if (answer.status === 409) return undefined;
      const read = answer.status === 201 ? created.safeParse(answer.body) : undefined;
      if (!read?.success) throw failed(`make the container ${name}`, answer);
      return read.data.Id;
    },

    async start(container) {
      const answer = await engine.call('POST', `/containers/${container}/start`);
      return answer.status === 204 || answer.status === 304 ? undefined : reasonIn(answer);
    },

    async inspect(nameOrId, options) {
      const answer = await engine.call('GET', `/containers/${encodeURIComponent(nameOrId)}/json`, options);
      if (answer.status === 404) return undefined;
      const read = answer.status === 200 ? inspected.safeParse(answer.body) : undefined;
      if (!read?.success) throw failed(`look at the container ${nameOrId}`, answer);
      return seen(read.data);
    },

    async list(label, options) {
      const query = new URLSearchParams({ all: '1', filters: JSON.stringify({ label: [label] }) });
      const answer = await engine.call('GET', `/containers/json?${query.toString()}`, options);
      const read = answer.status === 200 ? listed.safeParse(answer.body) : undefined;
      if (!read?.success) throw failed('list containers', answer);
      return read.data.map(({ Id, Names, Labels }) => ({
        container: Id,
        names: (Names ?? []).map((name) => name.replace(/^\//, '')),
        labels: Labels ?? {},
      }));
    },

    async signal(container, signal) {
      const answer = await engine.call('POST', `/containers/${container}/kill?signal=${encodeURIComponent(signal)}`);
      if (answer.status !== 204 && answer.status !== 404 && answer.status !== 409) throw failed('end a container', answer);
    },

    async waitUntilEnded(container, limitMs) {
      const answer = await engine.open('POST', `/containers/${container}/wait?condition=not-running`);
      if (answer.statusCode === 404) return answer.destroy() && true;
      // Its answer begins at once and ends with the container.
      answer.socket.ref();
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          resolve(false);
          answer.destroy();
        }, limitMs);
        const finish = (): void => clearTimeout(timer);
        answer.once('end', () => {
          finish();
          resolve(true);
        });
        answer.once('error', (error) => {
          finish();
          reject(sluiceError('engine_failed', { action: 'wait for the end of a container', reason: error.message }, { cause: error }));
        });
        answer.resume();
      });
    },

    async remove(container) {
      const answer = await engine.call('DELETE', `/containers/${container}?force=1&v=1`);
      // 409: somebody else is removing it at this moment.
      if (![204, 404, 409].includes(answer.status)) throw failed('remove a container', answer);
    },
  };
}

function failed(action: string, answer: Answer) {
  return sluiceError('engine_failed', { action, reason: reasonIn(answer) });
}

function seen({ Id, State, Config }: z.infer<typeof inspected>): SeenContainer {
  const process = State.Running ? identify(State.Pid) : undefined;
  return {
    container: Id,
    labels: Config.Labels ?? {},
    state: State.Running ? 'running' : State.Status === 'created' ? 'created' : 'ended',
    ...(process && { process }),
    code: State.ExitCode,
    outOfMemory: State.OOMKilled === true,
    stopSignal: Config.StopSignal || 'SIGTERM',
  };
}
