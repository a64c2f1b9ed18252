import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { identify, tailOf } from '../effects/processes.ts';
import { until } from './conditions.ts';
import { findProgram } from './requires.ts';

const run = promisify(execFile);

/** By their paths in an image: what is in them, or the program of this machine that they are a copy of, the libraries it needs beside it. */
type Files = Readonly<Record<string, string | { readonly program: string }>>;

export interface DockerEngine {
  /** `unix://…`, for DOCKER_HOST. */
  readonly address: string;
  /** Makes an image of the files, by their paths in it, and busybox as /bin/busybox and /bin/sh. `changes` are lines of a Dockerfile. */
  image(reference: string, files?: Files, changes?: readonly string[]): Promise<void>;
  /** Makes an image of another one and these files. */
  imageFrom(base: string, reference: string, files: Files): Promise<void>;
  /** The archive `image` makes an image of. */
  archive(files?: Files): Promise<Buffer>;
  docker(...parameters: readonly string[]): Promise<string>;
  /** Ends the engine at once, as a crash would; what runs is left to itself. */
  kill(): Promise<void>;
  /** Starts it again; without `liveRestore`, it ends what still runs. */
  start(options?: { readonly liveRestore?: boolean }): Promise<void>;
  /** Ends it with everything that runs in it, and removes its data. */
  remove(): Promise<void>;
}

/**
 * A Docker engine of its own, with everything below a temporary folder and without a network to look after. It takes root, Docker's
 * programs and busybox; rejects where it does not start, or cannot run a container.
 */
export async function startDockerEngine(): Promise<DockerEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-docker-'));
  const address = `unix://${folder}/d.sock`;
  const at = (name: string): string => join(folder, name);
  let pid: number | undefined;
  let containerd: number | undefined;

  const docker = async (...parameters: readonly string[]): Promise<string> => {
    const { stdout } = await run('docker', ['-H', address, ...parameters], { env: { PATH: process.env['PATH'], HOME: folder } });
    return stdout.trim();
  };

  async function spawned(program: string, parameters: readonly string[]): Promise<ChildProcess> {
    const log = await open(at(`${program}.log`), 'a');
    const child = spawn(program, parameters, { stdio: ['ignore', log.fd, log.fd], detached: true });
    child.unref();
    await log.close();
    return child;
  }

  /** Not the engine's own, which would be killed with it: where systemd starts both, it is not. */
  async function startContainerd(): Promise<void> {
    const lines = ['version = 2', 'disabled_plugins = ["io.containerd.grpc.v1.cri"]', `[grpc]`, `address = "${at('c.sock')}"`];
    await writeFile(at('containerd.toml'), lines.join('\n'));
    const child = await spawned('containerd', ['-c', at('containerd.toml'), '--root', at('containerd'), '--state', at('state')]);
    containerd = child.pid;
  }

  async function start({ liveRestore = false }: { readonly liveRestore?: boolean } = {}): Promise<void> {
    await rm(at('pid'), { force: true });
    const flags = [
      '--data-root',
      at('data'),
      '--exec-root',
      at('exec'),
      '-H',
      address,
      '--pidfile',
      at('pid'),
      '--containerd',
      at('c.sock'),
    ];
    const network = ['--iptables=false', '--ip6tables=false', '--bridge=none'];
    const child = await spawned('dockerd', [...flags, ...network, ...(liveRestore ? ['--live-restore'] : [])]);
    pid = child.pid;
    await until(
      'the Docker engine answers',
      async () => {
        if (child.exitCode !== null) throw new Error(`dockerd ended with ${child.exitCode}: ${await tailOf(at('dockerd.log'), 600)}`);
        return docker('version', '--format', '{{.Server.Version}}').catch(() => undefined);
      },
      20_000,
    );
  }

  async function remove(): Promise<void> {
    // One that was killed is needed once more, to end what it left.
    if (pid !== undefined && identify(pid) === undefined) await start().catch(() => undefined);
    const ids = (await docker('ps', '-aq').catch(() => '')).split('\n').filter(Boolean);
    if (ids.length > 0) await docker('rm', '-f', ...ids).catch(() => undefined);
    await end(pid, 'SIGTERM');
    await end(containerd, 'SIGTERM');
    // What an engine that was killed could not undo itself, the innermost first.
    const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').flatMap((line) => line.split(' ')[1] ?? []);
    for (const place of mounts.filter((place) => place.startsWith(`${folder}/`)).toReversed())
      await run('umount', [place]).catch(() => undefined);
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  async function tree(files: Files): Promise<string> {
    const folder = await mkdtemp(at('image-'));
    await chmod(folder, 0o755);
    for (const [path, content] of Object.entries(files)) {
      const place = join(folder, path);
      await mkdir(dirname(place), { recursive: true });
      if (typeof content === 'string') await writeFile(place, content);
      else await copyProgram(content.program, folder, place);
    }
    return folder;
  }

  async function archive(files: Files = {}): Promise<Buffer> {
    const busybox = { program: findProgram('busybox') ?? '' };
    const folder = await tree({ 'bin/busybox': busybox, 'bin/sh': busybox, ...files });
    await mkdir(join(folder, 'tmp'), { recursive: true });
    await run('tar', ['-C', folder, '-cf', `${folder}.tar`, '.']);
    const bytes = await readFile(`${folder}.tar`);
    await rm(folder, { recursive: true, force: true });
    await rm(`${folder}.tar`, { force: true });
    return bytes;
  }

  async function image(reference: string, files: Files = {}, changes: readonly string[] = []): Promise<void> {
    const file = at('image.tar');
    await writeFile(file, await archive(files));
    await docker('import', ...changes.flatMap((change) => ['--change', change]), file, reference);
    await rm(file, { force: true });
  }

  async function imageFrom(base: string, reference: string, files: Files): Promise<void> {
    const container = await docker('create', base);
    const folder = await tree(files);
    await docker('cp', `${folder}/.`, `${container}:/`);
    await docker('commit', container, reference);
    await docker('rm', container);
    await rm(folder, { recursive: true, force: true });
  }

  try {
    await startContainerd();
    await start();
    // That the engine runs does not say that a container can.
    await image('sluice-probe:1');
    await docker('run', '--rm', '--init', '--network', 'host', 'sluice-probe:1', '/bin/busybox', 'true');
  } catch (error) {
    await remove();
    throw error;
  }
  return { address, image, imageFrom, archive, docker, kill: () => end(pid, 'SIGKILL'), start, remove };
}

/** With the libraries the system's loader finds for it, where it finds them. */
async function copyProgram(program: string, root: string, place: string): Promise<void> {
  await copyFile(program, place);
  const { stdout } = await run('ldd', [program]).catch(() => ({ stdout: '' }));
  for (const [library] of stdout.matchAll(/\/\S+(?= \(0x)/g)) {
    await mkdir(dirname(join(root, library)), { recursive: true });
    await copyFile(library, join(root, library));
  }
}

async function end(ending: number | undefined, signal: NodeJS.Signals): Promise<void> {
  if (ending === undefined || identify(ending) === undefined) return;
  process.kill(ending, signal);
  await until('it has ended', () => identify(ending) === undefined);
}
