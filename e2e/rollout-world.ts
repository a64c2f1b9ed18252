import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceView } from '../src/api/schemas/service.ts';
import { until } from '../src/testing/conditions.ts';
import type { DockerEngine } from '../src/testing/docker-engine.ts';
import { send } from './load.ts';
import { controlPlane, expectCode, sluice, type Outcome, type World } from './sluice.ts';
import { startWrk, type Wrk } from './wrk/load.ts';

/** How a release of the agent behaves. `prompt` decides how often it escalates. */
export interface Behaviour {
  readonly word: string;
  readonly errorRate?: number;
  readonly delayMs?: number;
  /** Share of requests it escalates, whatever its prompt says. */
  readonly escalates?: number;
  readonly version?: string;
  readonly replicas?: number;
  /** `exits`: before it listens; `hangs`: it never answers its check. */
  readonly broken?: 'exits' | 'hangs';
}

const agent = `
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
const declared = JSON.parse(readFileSync('behaviour.json', 'utf8'));
const { delayMs = 2, broken } = declared;
// What an arm of an experiment has instead.
const { WORD: word = declared.word, FAILS: errorRate = declared.errorRate ?? 0, RESOLVES: resolves = 0.3 } = process.env;
const prompts = process.env.SLUICE_PROMPTS;
const prompt = readFileSync(prompts.endsWith('.md') ? prompts : prompts + '/' + readdirSync(prompts)[0], 'utf8');
const escalates = declared.escalates ?? (prompt.includes('whenever in doubt') ? 0.6 : 0.1);
if (broken === 'exits') { console.error('broken on purpose'); process.exit(3); }
const server = createServer((request, response) => {
  if (request.url === '/healthz') { if (broken !== 'hangs') response.end('ok'); return; }
  setTimeout(() => {
    const decision = Math.random() < escalates ? 'escalate' : 'answer';
    const outcome = Math.random() < resolves ? 'resolved' : 'open';
    response.setHeader('x-sluice-attributes', 'decision=' + decision + ', outcome=' + outcome);
    response.statusCode = Math.random() < errorRate ? 500 : 200;
    response.end(JSON.stringify({ release: process.env.SLUICE_RELEASE, word, decision }));
  }, delayMs * (0.5 + Math.random()));
});
server.listen(Number(process.env.PORT), process.env.HOST);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;

export const usualPrompt = 'Answer the customer.';
export const anxiousPrompt = 'Answer the customer, and escalate whenever in doubt.';

const packageFile = '{ "type": "module" }';
/** An image with Node and the agent, of which those of its releases are made. */
const base = 'agent-base:1';

/** A stack of one agent behind the real gateway, in a folder of its own. With an engine, its releases are images and its instances containers. */
export async function createRolloutWorld(engine?: DockerEngine) {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-rollouts-'));
  const environment = engine && { DOCKER_HOST: engine.address };
  const world: World = { directory, home: join(directory, '.sluice'), ...(environment && { environment }) };
  await mkdir(join(directory, 'agent'));
  await writeFile(join(directory, 'agent', 'package.json'), packageFile);
  await writeFile(join(directory, 'agent', 'agent.js'), agent);
  const files = { 'bin/node': { program: process.execPath }, 'app/agent.js': agent, 'app/package.json': packageFile };
  await engine?.image(base, files, ['WORKDIR /app', 'CMD ["/bin/node", "agent.js"]']);
  const images = new Map<string, string>();
  let url = '';
  const loads = new Set<Wrk>();

  /** The code of a release as the stack declares it: what behaves alike is the very same image. */
  async function codeOf(behaviour: string): Promise<string> {
    await writeFile(join(directory, 'agent', 'behaviour.json'), behaviour);
    if (engine === undefined) return 'source: agent\n  command: [node, agent.js]';
    const reference = images.get(behaviour) ?? `agent:${images.size + 1}`;
    if (!images.has(behaviour)) await engine.imageFrom(base, reference, { 'app/behaviour.json': behaviour });
    images.set(behaviour, reference);
    return `image: ${reference}`;
  }

  /** `more`: blocks beside the service. */
  const write = async (rollout: string, behaviour: Behaviour, prompt = usualPrompt, more = ''): Promise<void> => {
    const code = await codeOf(JSON.stringify(behaviour));
    // Beside the code of a folder; an image has only what it was made with, and commands of an analysis run on the machine.
    const declared = engine ? rollout.replace('preview.js', join(directory, 'agent', 'preview.js')) : rollout;
    await writeFile(join(directory, 'prompt.md'), prompt);
    await writeFile(
      join(directory, 'stack.yaml'),
      `service:\n  name: agent\n  ${code}\n  prompts: prompt.md\n  version: ${behaviour.version ?? '1.0.0'}\n  replicas: ${behaviour.replicas ?? 2}
  health: { path: /healthz, interval: 50ms, timeout: 500ms, start_period: ${behaviour.broken === 'hangs' ? '2s' : '30s'} }\n  drain: 5s\n  expose: { host: agent.localhost }\n  rollout: ${declared}\n${more}`,
    );
  };
  const view = async (): Promise<ServiceView> =>
    (await (await controlPlane(world)).get('/v1/environments/default/services/agent')) as ServiceView;

  return {
    world,
    write,
    view,
    /** Brings a first release into use. */
    async begin(behaviour: Behaviour, more?: string, rollout = '{ strategy: rolling }'): Promise<void> {
      await write(rollout, behaviour, usualPrompt, more);
      await expectCode(0, world, 'apply', '--yes');
      const status = (await (await controlPlane(world)).get('/v1/status')) as { environments: { url?: string }[] };
      url = status.environments[0]?.url ?? '';
    },
    run: (code: number, ...line: readonly string[]): Promise<Outcome> => expectCode(code, world, ...line),
    /** The candidate's share is in force: so many percent of new requests are its. */
    reaches: (percent: number): Promise<ServiceView> =>
      until(`a share of ${percent} %`, async () => {
        const seen = await view();
        const { rollout } = seen;
        return rollout?.weight === percent && rollout.waits.for !== 'gateway' && rollout.waits.for !== 'instances' && seen;
      }),
    ask: async (user: string, headers: Record<string, string> = {}): Promise<string> => {
      const { text, status } = await send(url, undefined, { host: 'agent.localhost', headers: { cookie: `session=${user}`, ...headers } });
      return status === 200 ? (JSON.parse(text) as { word: string }).word : `${status} ${text}`;
    },
    load: (candidate: string, atOnce = 16) => startUsers(url, candidate, atOnce),
    /** As `load`, by the program wrk. */
    wrk: async (atOnce?: number): Promise<Wrk> => {
      const load = await startWrk(url, { host: 'agent.localhost', ...(atOnce !== undefined && { atOnce }) });
      loads.add(load);
      return load;
    },
    url: () => url,
    async dispose(): Promise<void> {
      for (const load of loads) load.kill();
      await sluice(world, 'down');
      await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

export type RolloutWorld = Awaited<ReturnType<typeof createRolloutWorld>>;

/** Users who ask once each, as fast as so many at a time are answered. What the gateway could not have answered by an agent is lost. */
function startUsers(url: string, candidate: string, atOnce: number) {
  const connections = new Agent({ keepAlive: true, maxSockets: atOnce });
  const seen = { answered: 0, exposed: 0, lost: [] as string[] };
  const state = { running: true };
  let users = 0;
  const ask = async (): Promise<void> => {
    users += 1;
    try {
      const headers = { cookie: `session=user-${users}` };
      const { status, text } = await send(url, connections, { host: 'agent.localhost', headers });
      const word = (status === 200 || status === 500) && text.startsWith('{') ? (JSON.parse(text) as { word?: string }).word : undefined;
      if (word === undefined) seen.lost.push(`${status} ${text.slice(0, 200)}`);
      else seen.answered += 1;
      if (word === candidate) seen.exposed += 1;
    } catch (error) {
      seen.lost.push((error as Error).message);
    }
  };
  const workers = Array.from({ length: atOnce }, async () => {
    while (state.running) await ask();
  });
  return {
    seen,
    stop: async (): Promise<typeof seen> => {
      state.running = false;
      await Promise.all(workers);
      connections.destroy();
      return seen;
    },
  };
}
