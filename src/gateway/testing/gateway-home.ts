import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../effects/clock.ts';
import { writeDurably } from '../../effects/files.ts';
import { testPort } from '../../testing/test-port.ts';
import type { ProcessIdentity } from '../../effects/processes.ts';
import { systemRandom } from '../../effects/random.ts';
import { createMemoryStore } from '../../store/memory-store.ts';
import type { Store } from '../../store/store.ts';
import { createEventLog } from '../../telemetry/event-log.ts';
import type { SluiceEvent } from '../../telemetry/events.ts';
import { createGatewayControl, type GatewayControl } from '../control/gateway-control.ts';
import { gatewayFiles } from '../gateway-files.ts';
import { endGateway } from './end-gateway.ts';
import { recordedProcess } from '../gateway-folder.ts';

/** A SLUICE_HOME for one test, with as many control planes over it as the test wants. */
export interface GatewayHome {
  readonly home: string;
  readonly folder: string;
  readonly store: Store;
  /** A control side over the same home and store, as after a restart of the control plane. */
  control(): GatewayControl;
  /** Whether instances run that were given the internal address; false at first. */
  setInstancesRun(run: boolean): void;
  events(): Promise<readonly SluiceEvent[]>;
  process(): Promise<ProcessIdentity>;
  /** Ends whatever gateway is left and removes the folder. */
  remove(): Promise<void>;
}

export async function createGatewayHome(): Promise<GatewayHome> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-gateway-'));
  const folder = join(home, 'gateway');
  const store = createMemoryStore();
  // Not those that every home would choose first: tests run at the same time.
  const [internal, listener] = await Promise.all([anyAddress(), anyAddress()]);
  await writeDurably(gatewayFiles(folder).settings, JSON.stringify({ internal }));
  await store.transact([{ operation: 'put', collection: 'routing', key: 'listener/test', value: listener }]);
  const events = createEventLog({ store, clock: systemClock });
  const controls: GatewayControl[] = [];
  let instancesRun = false;
  return {
    home,
    folder,
    store,
    control: () => {
      const control = createGatewayControl({
        home,
        store,
        events,
        clock: systemClock,
        random: systemRandom,
        instancesRun: () => Promise.resolve(instancesRun),
      });
      controls.push(control);
      return control;
    },
    setInstancesRun: (run) => {
      instancesRun = run;
    },
    events: () => events.read(0, 1_000),
    process: async () => {
      const recorded = await recordedProcess(folder);
      if (recorded === undefined) throw new Error('no gateway has been recorded');
      return { pid: recorded.pid, startTime: recorded.startTime };
    },
    remove: async () => {
      for (const control of controls) control.leave();
      await endGateway(folder);
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function anyAddress(): Promise<{ host: string; port: number }> {
  const host = '127.0.0.1';
  return { host, port: await testPort() };
}
