import { createKeyring } from '../access/keyring.ts';
import { createEngine } from '../engine/engine.ts';
import { createOutputResolver } from '../engine/output-resolver.ts';
import { createPlanner } from '../engine/planner.ts';
import type { Clock } from '../effects/clock.ts';
import type { Random } from '../effects/random.ts';
import { createGatewayControl } from '../gateway/control/gateway-control.ts';
import { createLocalProvider } from '../providers/local/local-provider.ts';
import { createLocalWorkloads } from '../providers/local/workloads/local-workloads.ts';
import { createLogRotator } from '../providers/local/workloads/log-rotator.ts';
import { createProviderRegistry } from '../providers/registry.ts';
import { createSimulatedProvider } from '../providers/simulated/simulated-provider.ts';
import { createSimulatedWorld } from '../providers/simulated/simulated-world.ts';
import { createServiceController } from '../rollout/service-controller.ts';
import { createServiceProvider } from '../rollout/service-provider.ts';
import { openFileVault } from '../secrets/file-vault.ts';
import { loadStack } from '../stack/load.ts';
import { loadPolicyRules } from '../stack/policy/read-rules.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { createEventLog } from '../telemetry/event-log.ts';
import type { HomePaths } from './home.ts';
import { createInstanceLogs } from './instance-logs.ts';
import type { Logger } from './log.ts';
import { createPlanBook } from './plan-book.ts';
import { createPlanMaker } from './plan-maker.ts';
import { createRunBook } from './run-book.ts';
import { runningInstances } from './running-instances.ts';
import { createServiceDesk } from './service-desk.ts';

export interface ComposeRequest {
  readonly paths: HomePaths;
  /** Folder the paths of stacks are relative to. */
  readonly root: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export type Parts = Awaited<ReturnType<typeof compose>>;

/** The one place where ports meet their adapters. Opens the store and the vault; starts nothing. */
export async function compose({ paths, root, clock, random, log }: ComposeRequest) {
  const { home } = paths;
  const store = await openSqliteStore({ path: paths.state });
  const vault = await openFileVault({ keyFile: paths.stateKey, random });
  const events = createEventLog({ store, clock });
  const keyring = createKeyring({ store, clock, random });

  const workloads = createLocalWorkloads({ home, clock, random });
  const instancesRun = async (): Promise<boolean> => (await runningInstances(workloads)).length > 0;
  const gateway = createGatewayControl({ home, store, events, clock, random, instancesRun });
  const resolver = createOutputResolver({ store, vault });
  const controller = createServiceController({ store, vault, workloads, traffic: gateway, resolver, events, clock, random });

  const providers = createProviderRegistry({
    environmentProviders: {
      local: createLocalProvider({ home, clock, random }),
      simulated: createSimulatedProvider({ world: createSimulatedWorld(), clock, random }),
    },
    kindProviders: [createServiceProvider({ controller, store, vault, traffic: gateway, clock, home })],
  });
  const planner = createPlanner({ store, providers, vault, clock, random });
  const engine = createEngine({ store, providers, vault, events, clock, random });

  const plans = createPlanBook({
    store,
    vault,
    clock,
    root,
    load: loadStack,
    loadRules: loadPolicyRules,
    planner: createPlanMaker({ planner, providers, store }),
  });
  const runs = createRunBook({
    store,
    events,
    plans,
    engine,
    clock,
    random,
    report: (error, run) => log.error({ error, run }, 'a run met an unexpected error'),
  });
  const services = createServiceDesk({ controller, logs: createInstanceLogs({ workloads, clock }), store });
  const rotator = createLogRotator({ folder: paths.logs, clock });
  return { store, events, keyring, gateway, workloads, controller, engine, records: engine, plans, runs, services, rotator };
}
