import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, type Client } from '../../src/api/client.ts';
import { findControlPlane } from '../../src/control-plane/discovery.ts';
import { SluiceError } from '../../src/errors/sluice-error.ts';
import type { World } from '../sluice.ts';
import { readDoom, writeDoom, type Doom } from './moment.ts';

const program = fileURLToPath(new URL('doomed-control-plane.ts', import.meta.url));
/** What a client meets between a kill and the next control plane, and while that one takes up what was left. */
const passing = new Set(['control_plane_unreachable', 'control_plane_starting', 'run_in_progress', 'lease_lost', 'service_state_conflict']);

/** Keeps a control plane running that is killed as it is told to, and started again as soon as it is dead. */
export function keepControlPlane(world: World) {
  const file = join(world.directory, 'doom.json');
  const state: { child?: ChildProcess; ends: boolean; deaths: number; output: string } = { ends: false, deaths: 0, output: '' };
  let client: Client | undefined;

  const launch = (): void => {
    const child = spawn(process.execPath, [program, world.home, world.directory, file], {
      cwd: world.directory,
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], HOME: world.directory },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (state.output = `${state.output}${chunk.toString()}`.slice(-4_000)));
    child.once('exit', (_, signal) => {
      client = undefined;
      if (state.ends) return;
      if (signal === 'SIGKILL') state.deaths += 1;
      launch();
    });
    state.child = child;
  };

  return {
    begin: launch,
    deaths: (): number => state.deaths,
    doom: (): Doom => readDoom(file),
    /** From now on to be killed so often more, at moments it has not been killed in. */
    arm: (doom: Omit<Doom, 'seen'>): void => writeDoom(file, { ...doom, seen: [] }),
    /** Not to be killed any more, nor to note anything. */
    disarm: (): void => writeDoom(file, { ...readDoom(file), left: -1 }),
    output: (): string => state.output,
    /** What the action gives; undefined when nobody was there to do it, or it was killed while it did. */
    async attempt<Value>(action: (client: Client) => Promise<Value>): Promise<Value | undefined> {
      try {
        const found = client ? undefined : await findControlPlane(world.home);
        if (found) client = createClient(found);
        return client && (await action(client));
      } catch (error) {
        if (!(error instanceof SluiceError) || !passing.has(error.code)) throw error;
        if (error.code === 'control_plane_unreachable') client = undefined;
        return undefined;
      }
    },
    async end(): Promise<void> {
      state.ends = true;
      const { child } = state;
      if (child?.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
    },
  };
}

export type Keeper = ReturnType<typeof keepControlPlane>;
