import { hostname } from 'node:os';
import { join } from 'node:path';
import { createAuditLog } from '../audit/audit-log.ts';
import { headFile } from '../audit/head-file.ts';
import { createDriftFinder } from '../engine/drift.ts';
import { createDriftLoop } from '../engine/drift-loop.ts';
import { createKeyring } from '../access/keyring.ts';
import { createEngine } from '../engine/engine.ts';
import { createOutputResolver } from '../engine/output-resolver.ts';
import { createPlanner } from '../engine/planner.ts';
import type { Clock } from '../effects/clock.ts';
import type { Random } from '../effects/random.ts';
import { createGatewayControl } from '../gateway/control/gateway-control.ts';
import { createGatewaySettings } from '../gateway/control/gateway-settings.ts';
import { createPostgresMigrations } from '../migrations/postgres-migrations.ts';
import { createOutbox } from '../notifications/outbox.ts';
import { createDockerImages } from '../providers/docker/docker-images.ts';
import { createDockerWorkloads } from '../providers/docker/docker-workloads.ts';
import { createEngine as createContainerEngine } from '../providers/docker/engine.ts';
import { createLocalPlatform } from '../providers/local/local-provider.ts';
import { createLocalWorkloads } from '../providers/local/workloads/local-workloads.ts';
import { createLogRotator } from '../providers/local/workloads/log-rotator.ts';
import { createPlacedWorkloads } from '../providers/placed-workloads.ts';
import { createProviderRegistry } from '../providers/registry.ts';
import { createSimulatedProvider } from '../providers/simulated/simulated-provider.ts';
import { createSimulatedWorld } from '../providers/simulated/simulated-world.ts';
import { createReleaseRecords } from '../release/release-records.ts';
import { createServiceController } from '../rollout/service-controller.ts';
import { createServiceProvider } from '../rollout/service-provider.ts';
import { openFileVault } from '../secrets/file-vault.ts';
import { type KnownSecrets, learningVault } from '../secrets/known-secrets.ts';
import { createSecretVariables } from '../secrets/secret-variables.ts';
import { loadStack } from '../stack/load.ts';
import { loadPolicyRules } from '../stack/policy/read-rules.ts';
import type { DurableStore } from '../store/durable-store.ts';
import { createEventLog } from '../telemetry/event-log.ts';
import { createDatabaseCare } from './database-care.ts';
import { createDatabaseDesk } from './database-desk.ts';
import type { HomePaths } from './home.ts';
import { backUpInto, openHomeStore } from './home-store.ts';
import { createInstanceLogs } from './instance-logs.ts';
import type { Logger } from './log.ts';
import { createAutoscaler } from '../scaling/autoscaler.ts';
import { createFlagRollouts } from '../flag-rollouts/flag-rollouts.ts';
import { createFlagParts } from './flag-parts.ts';
import { createFlagRolloutDesk } from './flag-rollout-desk.ts';
import { createDriftDesk } from './drift-desk.ts';
import { createGatewayDesk } from './gateway-desk.ts';
import { createLockDesk } from './lock-desk.ts';
import { createNotificationParts } from './notification-parts.ts';
import { createPlanBook } from './plan-book.ts';
import { createPlanMaker } from './plan-maker.ts';
import { createReleaseDesk } from './release-desk.ts';
import { createRunBook } from './run-book.ts';
import { runningInstances } from './running-instances.ts';
import { takeLead } from '../store/lead.ts';
import { createServiceDesk } from './service-desk.ts';

export interface ComposeRequest {
  readonly paths: HomePaths;
  /** Folder the paths of stacks are relative to. */
  readonly root: string;
  /** `sqlite` or the URL of a PostgreSQL database; what the home remembers when absent. */
  readonly store?: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Learns every secret that passes the vault. */
  readonly secrets: KnownSecrets;
  /** Where instances reach this control plane to ask for flags; undefined before it listens. */
  readonly evaluationUrl: () => string | undefined;
  /** Between two looks for drift; undefined for none. */
  readonly driftIntervalMs: number | undefined;
  /** Where webhooks may be sent, as `parseNetworks` reads it. */
  readonly webhookNetworks: string | undefined;
  /** Stands between all parts and the store. */
  readonly throughStore?: ((store: DurableStore) => DurableStore) | undefined;
  /** Another control plane has taken the lead of the same state: this one writes nothing more. Called once. */
  readonly onSuperseded: () => void;
}

export type Parts = Awaited<ReturnType<typeof compose>>;

/** The one place where ports meet their adapters. Opens the store and the vault; starts nothing. */
export async function compose({
  paths,
  root,
  store: wanted,
  clock,
  random,
  log,
  secrets,
  evaluationUrl,
  driftIntervalMs,
  webhookNetworks,
  throughStore = (store) => store,
  onSuperseded,
}: ComposeRequest) {
  const { home } = paths;
  const opened = await openHomeStore({ paths, wanted, clock });
  const store = throughStore(await takeLead(opened, { holder: `${hostname()}:${home}`, clock, onLost: onSuperseded }));
  const vault = learningVault(await openFileVault({ keyFile: paths.stateKey, random }), secrets);
  const events = createEventLog({ store, clock });
  const keyring = createKeyring({ store, clock, random });
  const audit = createAuditLog({ store, vault, clock, keeper: headFile(paths.auditHead) });

  const containerEngine = createContainerEngine(process.env);
  const images = createDockerImages({ engine: containerEngine, home, environment: process.env });
  const workloads = createPlacedWorkloads({
    processes: createLocalWorkloads({ home, clock, random }),
    containers: createDockerWorkloads({ home, engine: containerEngine, images, clock, random }),
  });
  const instancesRun = async (): Promise<boolean> => (await runningInstances(workloads)).length > 0;
  const gateway = createGatewayControl({ home, store, events, clock, random, instancesRun });
  const resolver = createOutputResolver({ store, vault });
  const outbox = createOutbox(store);
  const controller = createServiceController({
    store,
    vault,
    workloads,
    traffic: gateway,
    resolver,
    events,
    clock,
    random,
    evaluationUrl,
    outbox,
    secrets,
  });
  const flagParts = createFlagParts({ store, vault, audit, events, clock, random });
  const { documents, sets } = flagParts;
  const flagRollouts = createFlagRollouts({ store, documents, sets, services: controller, traffic: gateway, audit, events, clock, random });

  const notificationParts = createNotificationParts({
    store,
    outbox,
    resolver,
    audit,
    events,
    secrets,
    clock,
    random,
    networks: webhookNetworks,
    answered: ({ environment, service }) => controller.look(`${environment}/service/${service}`),
    report: (error, message) => log.error({ error, message }, 'the delivery of a message met an unexpected error'),
  });

  const secretVariables = createSecretVariables(process.env);
  const local = createLocalPlatform({ home, clock, random, secretVariables });
  const providers = createProviderRegistry({
    environmentProviders: {
      local: local.provider,
      simulated: createSimulatedProvider({ world: createSimulatedWorld(), clock, random }),
    },
    kindProviders: [
      createServiceProvider({
        controller,
        store,
        vault,
        traffic: gateway,
        clock,
        home,
        images,
        migrations: createPostgresMigrations({ clock }),
      }),
      flagParts.provider,
      notificationParts.provider,
      createGatewaySettings({ control: gateway, folder: join(home, 'gateway') }),
    ],
  });
  const planner = createPlanner({ store, providers, vault, clock, random });
  const engine = createEngine({ store, providers, vault, events, clock, random, secrets });
  const finder = createDriftFinder({ store, providers, vault, clock, random, engine, secrets });

  const plans = createPlanBook({
    store,
    vault,
    clock,
    root,
    load: loadStack,
    loadRules: loadPolicyRules,
    takeVariables: (environment, values) => {
      secrets.learn(values);
      secretVariables.take(environment, values);
    },
    planner: createPlanMaker({ planner, drift: finder, providers, store }),
  });
  const runs = createRunBook({
    store,
    events,
    plans,
    engine,
    audit,
    clock,
    random,
    report: (error, run) => log.error({ error, run }, 'a run met an unexpected error'),
  });
  const autoscaler = createAutoscaler({ services: controller, counts: () => gateway.counts(), clock });
  const services = createServiceDesk({ controller, logs: createInstanceLogs({ workloads, clock }), store, secrets });
  const releases = createReleaseDesk({ controller, releases: createReleaseRecords(store), secrets });
  const databaseCare = createDatabaseCare({
    keeper: local.databases,
    events,
    clock,
    random,
    report: (error, address) => log.error({ error, address }, 'the care of a database met an error'),
  });
  const databases = createDatabaseDesk({
    store,
    keepers: { [local.provider.name]: local.databases },
    events,
    audit,
    clock,
    random,
    conditions: (address) => databaseCare.conditions(address),
    report: (error, work) => log.error({ error, work }, 'a backup or restore met an unexpected error'),
  });
  const rotator = createLogRotator({ folder: paths.logs, clock });
  const backups = { create: () => backUpInto(paths, store, clock) };
  const gatewayDesk = createGatewayDesk({ gateway, store, clock });
  const locks = createLockDesk({ engine, runs });
  const drift = createDriftDesk({ finder, plans, runs });
  const driftLoop =
    driftIntervalMs === undefined
      ? undefined
      : createDriftLoop({
          finder,
          engine,
          store,
          events,
          clock,
          random,
          intervalMs: driftIntervalMs,
          onError: (error, environment) => log.warn({ error, environment }, 'a look for drift failed'),
        });
  return {
    store,
    backups,
    audit,
    secrets,
    locks,
    drift,
    driftLoop,
    events,
    keyring,
    gateway,
    gatewayDesk,
    flagParts,
    flags: flagParts.desk,
    autoscaler,
    flagRolling: flagRollouts,
    flagRollouts: createFlagRolloutDesk({ rollouts: flagRollouts, clock }),
    evaluation: flagParts.evaluation,
    deliveries: notificationParts.worker,
    notifications: notificationParts.desk,
    workloads,
    controller,
    engine,
    records: engine,
    plans,
    runs,
    services,
    releases,
    databases,
    databaseCare,
    rotator,
  };
}
