import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { problem, sluiceError } from '../../../errors/sluice-error.ts';
import { fieldsOf } from '../../../stack/kinds/index.ts';
import type { Address } from '../../../stack/stack.ts';
import type { Applied, CreateRequest, Operation } from '../../provider.ts';
import type { ResourceState } from '../../resource-state.ts';
import { removeEmptyFolders, type ResourceRecord } from '../records.ts';
import type { LocalContext, ResourceHandler } from '../resource-handler.ts';
import { partsOf, resourceFolder, resourceId } from '../resource-names.ts';
import { lastingPort, withFirstPort } from '../server/server-port.ts';
import { makeServerFolder, serversRoot } from '../server/server-user.ts';
import { makeArchive } from './archive/wal-archive.ts';
import { setAsideFormer } from './backup/former.ts';
import { readManifests } from './backup/manifest.ts';
import { checkDatabase } from './check.ts';
import { dataFolder, dataVersion, initialise, settingsFile, settingsText, writeSettings } from './cluster.ts';
import { type DatabaseDetails, type DatabasePlaces, databasesGroup, declaredOf, settingsOf } from './places.ts';
import { findServer, haltServer, haltServerOn, runServer } from './postgres-server.ts';
import { removeCopies } from './programs.ts';
import { preparingFolder, settleRestore } from './restore/journal.ts';
import { databaseName, type Endpoint, ensureDatabase } from './roles.ts';
import { restoreSettings, settingsDrift } from './settings-drift.ts';

const host = '127.0.0.1';

/** Data that no record of ours explains, or of another version than is wanted, is somebody's: it stays, and the creation fails. */
async function refuseForeignData(name: string, folder: string, version: string, before: ResourceRecord | undefined): Promise<void> {
  const found = await dataVersion(folder);
  if (found === undefined) return;
  if (!before) throw sluiceError('database_data_in_the_way', { name, folder, reason: 'that this home knows nothing of' });
  if (before.phase === 'made' && found !== major(version)) {
    throw sluiceError('database_data_in_the_way', { name, folder, reason: `of version ${found}, not ${version}` });
  }
}

/** A database is a PostgreSQL server of its own, with a port it keeps for life. The server outlives the control plane. */
export function createDatabaseHandler(context: LocalContext, places: DatabasePlaces): ResourceHandler {
  const { user } = places;
  const inTurn = <Result>({ address }: { readonly address: Address }, task: () => Promise<Result>): Promise<Result> =>
    places.inTurn(address, task);

  async function bring(request: CreateRequest, operation: Operation, id: string, before: ResourceRecord | undefined): Promise<Applied> {
    const fields = fieldsOf(request, 'database');
    const known = before?.details as unknown as DatabaseDetails | undefined;
    const root = known?.root ?? (await serversRoot(context.home, user));
    if (known?.root === context.home) await serversRoot(context.home, user);
    const place = await context.records.placeOf(request.address);
    const folder = await makeServerFolder(root, databasesGroup, place, user);
    // A cancel lets it finish.
    const signal = operation.lost ?? operation.signal;
    await settleRestore(folder, request.name, context.clock);
    await refuseForeignData(request.name, folder, fields.version, before);
    const port = known?.port ?? (await lastingPort(host, context.random));
    const details: DatabaseDetails = { root, host, port, version: fields.version, declared: declaredOf(request) };
    const record = { id, operation: operation.id, phase: before?.phase ?? 'making', details: { ...details } } as const;
    await context.records.put(request.address, record);
    const programs = await places.programsFor(details);
    const endpoint = await places.endpointOf(id, details);
    const found = await dataVersion(folder);
    if (found === undefined || (before?.phase !== 'made' && found !== major(fields.version))) {
      operation.progress(`initialising PostgreSQL ${fields.version}`);
      await haltServer(folder, request.name, context.clock);
      await setAsideFormer(folder, context.clock.now());
      await initialise({ name: request.name, programs, folder, user, password: endpoint.password, random: context.random });
      signal.throwIfAborted();
    }
    await makeArchive(folder, user);
    const settings = settingsOf(details);
    if (await writeSettings(dataFolder(folder), settings, user)) await haltServer(folder, request.name, context.clock);
    operation.progress('waiting for PostgreSQL to accept connections');
    const run = () => runServer({ name: request.name, programs, folder, user, endpoint, clock: context.clock, signal });
    await run();
    const drift = await settingsDrift(endpoint, settingsText(settings));
    if (drift.length > 0) {
      operation.progress(`restoring ${drift.map(({ field }) => field).join(', ')}`);
      await restoreSettings(endpoint, dataFolder(folder), settingsFile, drift);
      await haltServer(folder, request.name, context.clock);
      await run();
    }
    const name = databaseName(partsOf(place).name);
    const password = await context.secrets.derive(id, 'database', 32);
    await ensureDatabase(endpoint, name, password, context.random);
    await context.records.put(request.address, { ...record, phase: 'made' });
    return { id, outputs: outputsOf(endpoint, name, password) };
  }

  return {
    kind: 'database',
    replaceFields: ['type', 'version'],
    check: (block, stack) => checkDatabase(context, block, stack),

    async read(resource) {
      const found = await places.find(resource.address);
      if (!found || (await dataVersion(found.folder)) === undefined) return { status: 'absent' };
      if (await findServer(found.folder)) {
        const endpoint = await places.endpointOf(found.record.id, found.details);
        return { status: 'present', drift: await settingsDrift(endpoint, settingsText(settingsOf(found.details))) };
      }
      return { status: 'present', drift: [{ field: 'state', applied: 'running', observed: 'stopped' }] };
    },

    create: (request, operation) =>
      inTurn(request, () =>
        withFirstPort(
          () => context.records.get(request.address),
          (before) => bring(request, operation, before?.id ?? resourceId(request.address, operation.id), before),
        ),
      ),

    update: (request, operation) =>
      inTurn(request, async () => {
        const before = await context.records.get(request.address);
        return bring(request, operation, request.current.id || before?.id || resourceId(request.address, operation.id), before);
      }),

    async lossOf({ address, name }) {
      const found = await places.find(address);
      const backups = found ? (await readManifests(found.folder)).length : 0;
      if (backups === 0) return [];
      return [problem('database_backups_go_too', { name, backups }, { severity: 'note', address })];
    },
    delete: (resource) => inTurn(resource, () => remove(resource)),
    suspend: (resource) => inTurn(resource, () => suspend(resource)),
    resume: (resource) => inTurn(resource, () => resume(resource)),
  };

  async function remove(resource: ResourceState): Promise<void> {
    const found = await places.find(resource.address);
    const root = found?.details.root ?? context.home;
    const folder = resourceFolder(root, databasesGroup, await context.records.placeOf(resource.address));
    for (const data of [preparingFolder(folder), dataFolder(folder)]) {
      await haltServerOn(data, resource.address, context.clock, 'discarded');
    }
    await rm(folder, { recursive: true, force: true });
    await removeEmptyFolders(dirname(folder), root);
    if (!existsSync(join(root, databasesGroup))) await removeCopies(root);
    // What lies outside home is there for its servers alone.
    if (relative(context.home, root) !== '') await removeEmptyFolders(root, dirname(dirname(root)));
    await context.records.remove(resource.address);
  }

  async function suspend(resource: ResourceState): Promise<void> {
    const found = await places.find(resource.address);
    if (!found) return;
    await settleRestore(found.folder, resource.name, context.clock);
    await haltServer(found.folder, resource.address, context.clock);
  }

  /** A server from before its log was archived is started again once, with the settings it has now. */
  async function resume(resource: ResourceState): Promise<void> {
    const found = await places.find(resource.address);
    if (!found || found.record.phase !== 'made') return;
    const { record, folder } = found;
    const details = found.details.declared ? found.details : { ...found.details, declared: declaredOf(resource) };
    if (details !== found.details) await context.records.put(resource.address, { ...record, details: { ...details } });
    await settleRestore(folder, resource.name, context.clock);
    await makeArchive(folder, user);
    if (await writeSettings(dataFolder(folder), settingsOf(details), user)) await haltServer(folder, resource.name, context.clock);
    await places.run(resource.address);
  }
}

function outputsOf(endpoint: Endpoint, name: string, password: string): Applied['outputs'] {
  const { host, port } = endpoint;
  return {
    url: { value: `postgres://${name}:${password}@${host}:${port}/${name}`, secret: true },
    host: { value: host, secret: false },
    port: { value: port, secret: false },
    database: { value: name, secret: false },
    user: { value: name, secret: false },
    password: { value: password, secret: true },
  };
}

function major(version: string): string {
  return version.split('.')[0] ?? version;
}
