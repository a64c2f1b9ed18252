import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type Client } from '../../api/client.ts';
import { writeDurably } from '../../effects/files.ts';
import { testPort } from '../../testing/test-port.ts';
import { identify, isAlive, type ProcessIdentity } from '../../effects/processes.ts';
import { gatewayFiles } from '../../gateway/gateway-files.ts';
import { until } from '../../testing/conditions.ts';
import { startControlPlane, wasStoppedCleanly } from '../discovery.ts';

const stack = `
resource_group: { name: shop, location: eastus }
service:
  name: echo
  source: echo
  command: [node, server.mjs]
  version: 1.0.0
  replicas: 1
  health: { path: /, interval: 100ms }
  drain: 1s
  expose: { host: echo.localhost }
`;

/** A service that answers with its pid and, `/services`, with where it was told to call others. */
const server = (readyAfterMs: number): string => `
import { createServer } from 'node:http';
console.log('listening');
const answer = (url) => (url === '/services' ? process.env.SLUICE_SERVICES_URL : String(process.pid));
const server = createServer((request, response) => response.end(answer(request.url)));
setTimeout(() => server.listen(Number(process.env.PORT), process.env.HOST), ${readyAfterMs});
process.on('SIGTERM', () => process.exit(0));
`;

export interface StartedDaemon {
  readonly client: Client;
  readonly process: ProcessIdentity;
  readonly url: string;
  readonly key: string;
}

/** A folder with a stack and a home in it, whose control planes are processes of their own. */
export interface DaemonFixture {
  readonly root: string;
  readonly home: string;
  /** The running control plane, or a new one. */
  start(): Promise<StartedDaemon>;
  writeStack(readyAfterMs: number): Promise<void>;
  /** Writes the stack and brings its service up. */
  deploy(client: Client): Promise<void>;
  /** Ends everything and removes the folder. */
  dispose(): Promise<void>;
}

export async function createDaemonFixture(): Promise<DaemonFixture> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-daemon-'));
  const home = join(root, 'home');
  // Not the one that every home would choose first: tests run at the same time.
  const port = await testPort();
  await writeDurably(gatewayFiles(join(home, 'gateway')).settings, JSON.stringify({ internal: { host: '127.0.0.1', port } }));
  const start = async (): Promise<StartedDaemon> => {
    const found = await startControlPlane({ home, root });
    return { client: createClient(found), process: identify(found.pid) as ProcessIdentity, url: found.url, key: found.key };
  };
  const writeStack = async (readyAfterMs: number): Promise<void> => {
    await mkdir(join(root, 'echo'), { recursive: true });
    await writeFile(join(root, 'stack.yaml'), stack);
    await writeFile(join(root, 'echo', 'server.mjs'), server(readyAfterMs));
  };
  return {
    root,
    home,
    start,
    writeStack,
    deploy: async (client) => {
      await writeStack(0);
      const plan = await client.createPlan({ stack: 'stack.yaml' });
      const { status, error } = await client.waitForRun((await client.applyPlan(plan.id)).id);
      if (status !== 'succeeded') throw new Error(`the run ${status}: ${error?.message}`);
    },
    dispose: async () => {
      if (!(await wasStoppedCleanly(home))) {
        const { client, process } = await start();
        await client.shutdown({ workloads: 'stop' });
        await gone(process);
      }
      await rm(root, { recursive: true, force: true });
    },
  };
}

export async function gone(process: ProcessIdentity | undefined): Promise<void> {
  await until('the process to be gone', () => process === undefined || !isAlive(process), 60_000);
}

export async function ready(client: Client): Promise<void> {
  await until('what ran before to be taken up', async () => (await client.status()).phase === 'ready');
}

export async function instances(client: Client): Promise<readonly (number | undefined)[]> {
  return (await client.getService('default', 'echo')).instances.map(({ pid }) => pid);
}

/** Status and body of the echo service's answer through the gateway. Not every system resolves names below `localhost`, so the host is sent. */
export function answerOf(publicUrl: string, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(new URL(path, publicUrl), { agent: false, headers: { host: 'echo.localhost' } }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.once('end', () => resolve(`${response.statusCode} ${body}`));
      response.once('error', reject);
    });
    request.once('error', reject);
  });
}
