import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { sluiceError } from '../../../errors/sluice-error.ts';
import { fieldsOf } from '../../../stack/kinds/index.ts';
import type { Address } from '../../../stack/stack.ts';
import type { Applied, CreateRequest, Operation } from '../../provider.ts';
import { removeEmptyFolders, type ResourceRecord } from '../records.ts';
import type { LocalContext, ResourceHandler } from '../resource-handler.ts';
import { partsOf, resourceFolder, resourceId } from '../resource-names.ts';
import { lastingPort, withFirstPort } from '../server/server-port.ts';
import { makeServerFolder, serversRoot, serverUser } from '../server/server-user.ts';
import { checkDatabase } from './check.ts';
import { dataVersion, initialise, writeSettings } from './cluster.ts';
import { chooseInstallation, findInstallations, howToInstall } from './installations.ts';
import { findServer, haltServer, runServer } from './postgres-server.ts';
import { removeCopies, usablePrograms } from './programs.ts';
import { databaseName, type Endpoint, ensureDatabase } from './roles.ts';
import { databaseSizing, skuExamples } from './sizing.ts';

/** What the record of a database holds. */
interface DatabaseDetails {
  /** Folder under which servers keep their data; see serversRoot. */
  readonly root: string;
  readonly host: string;
  readonly port: number;
  readonly version: string;
}

const group = 'databases';
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
export function createDatabaseHandler(context: LocalContext): ResourceHandler {
  const user = serverUser();

  async function bring(request: CreateRequest, operation: Operation, id: string, before: ResourceRecord | undefined): Promise<Applied> {
    const fields = fieldsOf(request, 'database');
    const known = before?.details as unknown as DatabaseDetails | undefined;
    const root = known?.root ?? (await serversRoot(context.home, user));
    if (known?.root === context.home) await serversRoot(context.home, user);
    const place = await context.records.placeOf(request.address);
    const folder = await makeServerFolder(root, group, place, user);
    await refuseForeignData(request.name, folder, fields.version, before);
    const port = known?.port ?? (await lastingPort(host, context.random));
    const details: DatabaseDetails = { root, host, port, version: fields.version };
    const record = { id, operation: operation.id, phase: before?.phase ?? 'making', details: { ...details } } as const;
    await context.records.put(request.address, record);
    const programs = await programsFor(request, root, fields.version);
    const endpoint = await endpointOf(id, details);
    const found = await dataVersion(folder);
    if (found === undefined || (before?.phase !== 'made' && found !== major(fields.version))) {
      operation.progress(`initialising PostgreSQL ${fields.version}`);
      await haltServer(folder, request.name, context.clock);
      await initialise({ name: request.name, programs, folder, user, password: endpoint.password, random: context.random });
      operation.signal.throwIfAborted();
    }
    if (await writeSettings(folder, { host, port, sizing: sizingOf(fields.sku) }, user))
      await haltServer(folder, request.name, context.clock);
    operation.progress('waiting for PostgreSQL to accept connections');
    await runServer({ name: request.name, programs, folder, user, endpoint, clock: context.clock, signal: operation.signal });
    const name = databaseName(partsOf(place).name);
    const password = await context.secrets.derive(id, 'database', 32);
    await ensureDatabase(endpoint, name, password, context.random);
    await context.records.put(request.address, { ...record, phase: 'made' });
    return { id, outputs: outputsOf(endpoint, name, password) };
  }

  async function programsFor(request: { readonly root: string }, root: string, version: string): Promise<string> {
    const installations = await findInstallations(request.root, context.environment['PATH'] ?? '');
    const installation = chooseInstallation(installations, version);
    if (installation) return usablePrograms(installation, root, user, context.random);
    throw sluiceError('database_version_unavailable', {
      version,
      available: installations.map((found) => found.version),
      install: howToInstall(version),
    });
  }

  async function endpointOf(id: string, details: DatabaseDetails): Promise<Endpoint> {
    return { host: details.host, port: details.port, password: await context.secrets.derive(id, 'database administrator', 32) };
  }

  async function whereabouts(address: Address): Promise<{ record: ResourceRecord; details: DatabaseDetails; folder: string } | undefined> {
    const record = await context.records.get(address);
    if (!record) return undefined;
    const details = record.details as unknown as DatabaseDetails;
    return { record, details, folder: resourceFolder(details.root, group, record.madeAs ?? address) };
  }

  return {
    kind: 'database',
    replaceFields: ['type', 'version'],
    check: (block, stack) => checkDatabase(context, block, stack),

    async read(resource) {
      const found = await whereabouts(resource.address);
      if (!found || (await dataVersion(found.folder)) === undefined) return { status: 'absent' };
      if (await findServer(found.folder)) return { status: 'present', drift: [] };
      return { status: 'present', drift: [{ field: 'state', applied: 'running', observed: 'stopped' }] };
    },

    create: (request, operation) =>
      withFirstPort(
        () => context.records.get(request.address),
        (before) => bring(request, operation, before?.id ?? resourceId(request.address, operation.id), before),
      ),

    async update(request, operation) {
      const before = await context.records.get(request.address);
      return bring(request, operation, request.current.id || before?.id || resourceId(request.address, operation.id), before);
    },

    async delete(resource) {
      const found = await whereabouts(resource.address);
      const root = found?.details.root ?? context.home;
      const folder = resourceFolder(root, group, await context.records.placeOf(resource.address));
      await haltServer(folder, resource.address, context.clock);
      await rm(folder, { recursive: true, force: true });
      await removeEmptyFolders(dirname(folder), root);
      if (!existsSync(join(root, group))) await removeCopies(root);
      // What lies outside home is there for its servers alone.
      if (relative(context.home, root) !== '') await removeEmptyFolders(root, dirname(dirname(root)));
      await context.records.remove(resource.address);
    },

    async suspend(resource) {
      const found = await whereabouts(resource.address);
      if (found) await haltServer(found.folder, resource.address, context.clock);
    },

    async resume(resource) {
      const found = await whereabouts(resource.address);
      if (!found || found.record.phase !== 'made') return;
      if (found.details.root === context.home) await serversRoot(context.home, user);
      const programs = await programsFor(resource, found.details.root, found.details.version);
      const endpoint = await endpointOf(found.record.id, found.details);
      const { name } = partsOf(resource.address);
      await runServer({ name, programs, folder: found.folder, user, endpoint, clock: context.clock });
    },
  };
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

function sizingOf(sku: string): NonNullable<ReturnType<typeof databaseSizing>> {
  const sizing = databaseSizing(sku);
  if (!sizing) throw sluiceError('unknown_database_sku', { sku, examples: skuExamples });
  return sizing;
}

function major(version: string): string {
  return version.split('.')[0] ?? version;
}
