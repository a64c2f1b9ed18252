import { systemClock } from '../../src/effects/clock.ts';
import { systemRandom } from '../../src/effects/random.ts';
import { startControlPlaneHere } from '../../src/control-plane/control-plane.ts';
import type { ServiceState } from '../../src/rollout/service-state.ts';
import type { DurableStore } from '../../src/store/durable-store.ts';
import type { Write } from '../../src/store/store.ts';
import { momentName, readDoom, writeDoom, type Moment } from './moment.ts';
import { stateName } from './state-name.ts';

// The control plane as it is, `doomed-control-plane HOME ROOT DOOM`, which kills itself with signal 9 at the first write of a service that leads out of or
// into a state it has not been killed in: nothing can be cleaned up, and no instant is missed for having been short.

const [home = '', root = '', file = ''] = process.argv.slice(2);

function killAt(moment: Moment): void {
  const doom = readDoom(file);
  const name = momentName(moment);
  if (doom.left <= 0 || !doom.sides.includes(moment.side) || doom.killed.includes(name)) return;
  writeDoom(file, { ...doom, left: doom.left - 1, killed: [...doom.killed, name] });
  process.kill(process.pid, 'SIGKILL');
}

function note(state: string): void {
  const doom = readDoom(file);
  if (doom.left >= 0 && !doom.seen.includes(state)) writeDoom(file, { ...doom, seen: [...doom.seen, state] });
}

const serviceOf = (writes: readonly Write[]): ServiceState | 'none' | undefined => {
  for (const write of writes) {
    if (write.operation === 'append' || write.collection !== 'services') continue;
    if (write.operation === 'delete') return 'none';
    if (write.operation === 'put') return write.value as unknown as ServiceState;
  }
  return undefined;
};

const doomed = (store: DurableStore): DurableStore => ({
  ...store,
  async transact(writes) {
    const written = serviceOf(writes);
    if (written === undefined) return store.transact(writes);
    const now = systemClock.now();
    const [stored] = await store.list('services');
    const before = stateName(stored?.value as unknown as ServiceState | undefined, now);
    const after = stateName(written === 'none' ? undefined : written, now);
    if (before !== after) killAt({ state: before, side: 'left' });
    const receipt = await store.transact(writes);
    note(after);
    // Also where nothing but the time has led into it.
    killAt({ state: after, side: 'entered' });
    return receipt;
  },
});

const running = await startControlPlaneHere({
  home,
  root,
  host: '127.0.0.1',
  clock: systemClock,
  random: systemRandom,
  throughStore: doomed,
  onShutdown: (workloads) => setImmediate(() => void running.stop(workloads).then(() => process.exit(0))),
});
process.on('SIGTERM', () => void running.stop('keep').then(() => process.exit(0)));
