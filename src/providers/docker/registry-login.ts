import { spawn } from 'node:child_process';
import { z } from 'zod';
import { sluiceError } from '../../errors/sluice-error.ts';
import { readDockerFile } from './docker-config.ts';

const configuration = z.looseObject({
  auths: z.record(z.string(), z.looseObject({ auth: z.string().optional(), identitytoken: z.string().optional() })).optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});
const helperAnswer = z.looseObject({ Username: z.string(), Secret: z.string() });

const dockerHub = 'https://index.docker.io/v1/';
const helperLimitMs = 15_000;

/**
 * The header that logs in to a registry, as the Docker command would; none where there is no login. Read from Docker's own configuration
 * (DOCKER_CONFIG, else ~/.docker) whenever it is asked, kept nowhere, and never in an error. Throws `registry_login_unusable`.
 */
export async function registryLogin(
  registry: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Readonly<Record<string, string>>> {
  const unusable = (reason: string) => sluiceError('registry_login_unusable', { registry, reason });
  const file = readDockerFile(environment, 'config.json');
  if (file === undefined) return {};
  const read = configuration.safeParse(file);
  if (!read.success) throw unusable('config.json is not what Docker writes');
  const { auths = {}, credHelpers = {}, credsStore } = read.data;
  const names = registry === 'docker.io' ? [dockerHub, 'index.docker.io', 'docker.io'] : [registry, `https://${registry}`];
  const key = names[0] ?? registry;
  const helper = names.map((name) => credHelpers[name]).find((found) => found !== undefined) ?? credsStore;
  const found = helper === undefined ? undefined : await fromHelper(helper, key, environment, unusable);
  if (found !== undefined) return header(found, key);
  const entry = names.map((name) => auths[name]).find((one) => one?.auth !== undefined || one?.identitytoken !== undefined);
  if (entry === undefined) return {};
  if (entry.identitytoken !== undefined && entry.identitytoken !== '') return header({ name: '<token>', secret: entry.identitytoken }, key);
  const decoded = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 0) throw unusable('its entry in auths is not a name and a password');
  return header({ name: decoded.slice(0, colon), secret: decoded.slice(colon + 1).replaceAll('\0', '') }, key);
}

interface Login {
  /** `<token>` when the secret is an identity token. */
  readonly name: string;
  readonly secret: string;
}

function header({ name, secret }: Login, serveraddress: string): Readonly<Record<string, string>> {
  const login = name === '<token>' ? { identitytoken: secret, serveraddress } : { username: name, password: secret, serveraddress };
  // For URLs and yet padded: without it the engine takes the header for none at all.
  const encoded = Buffer.from(JSON.stringify(login)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
  return { 'x-registry-auth': encoded };
}

/** By the protocol of Docker's credential helpers: `get`, with the server on standard input. Undefined when it knows none. */
async function fromHelper(
  helper: string,
  server: string,
  environment: Readonly<Record<string, string | undefined>>,
  unusable: (reason: string) => Error,
): Promise<Login | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(helper)) throw unusable('the name of its credential helper is none');
  const program = `docker-credential-${helper}`;
  const { code, output } = await answerOf(program, server, environment).catch((error: NodeJS.ErrnoException) => {
    throw unusable(error.code === 'ENOENT' ? `'${program}' is not on PATH` : `'${program}' cannot be run (${error.code ?? 'unknown'})`);
  });
  // A helper tells in words that it has no such login; what else it prints may hold a secret.
  if (code !== 0 && output.includes('credentials not found')) return undefined;
  const read = code === 0 ? helperAnswer.safeParse(parsed(output)) : undefined;
  if (!read?.success) throw unusable(`'${program}' did not answer as it should (exit code ${code})`);
  return { name: read.data.Username, secret: read.data.Secret };
}

function answerOf(
  program: string,
  input: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], {
      env: { ...environment },
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: helperLimitMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.once('error', reject);
    child.stdout.on('data', (chunk: Buffer) => (output = (output + chunk.toString('utf8')).slice(0, 64 * 1024)));
    child.once('close', (code) => resolve({ code, output }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${input}\n`);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
