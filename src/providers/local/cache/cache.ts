import { rm } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { problem, sluiceError } from '../../../errors/sluice-error.ts';
import { fieldsOf } from '../../../stack/kinds/index.ts';
import { parseMemoryBytes } from '../../../stack/fields/quantity.ts';
import type { Address } from '../../../stack/stack.ts';
import type { Applied, CreateRequest, Operation } from '../../provider.ts';
import { removeEmptyFolders, type ResourceRecord } from '../records.ts';
import type { LocalContext, ResourceHandler } from '../resource-handler.ts';
import { partsOf, resourceFolder, resourceId } from '../resource-names.ts';
import { lastingPort, withFirstPort } from '../server/server-port.ts';
import { makeServerFolder, serversRoot, serverUser } from '../server/server-user.ts';
import {
  type CacheServerSpec,
  findCacheServer,
  findProgram,
  haltCacheServer,
  programsFor,
  runCacheServer,
  writeConfiguration,
} from './cache-server.ts';

/** What the record of a cache holds. */
interface CacheDetails {
  /** Folder under which servers keep what is theirs; see serversRoot. */
  readonly root: string;
  readonly host: string;
  readonly port: number;
  readonly type: string;
}

export const cachesGroup = 'caches';
const host = '127.0.0.1';

/** A cache is a Redis or Valkey server of its own, found on PATH. Its content is in memory alone and ends with the server. */
export function createCacheHandler(context: LocalContext): ResourceHandler {
  const user = serverUser();
  const path = context.environment['PATH'] ?? '';

  async function bring(request: CreateRequest, operation: Operation, id: string, before: ResourceRecord | undefined): Promise<Applied> {
    const fields = fieldsOf(request, 'cache');
    const known = before?.details as unknown as CacheDetails | undefined;
    const root = known?.root ?? (await serversRoot(context.home, user));
    if (known?.root === context.home) await serversRoot(context.home, user);
    const folder = await makeServerFolder(root, cachesGroup, await context.records.placeOf(request.address), user);
    const port = known?.port ?? (await lastingPort(host, context.random));
    const details: CacheDetails = { root, host, port, type: fields.type };
    const record = { id, operation: operation.id, phase: before?.phase ?? 'making', details: { ...details } } as const;
    await context.records.put(request.address, record);
    const spec = await serverSpec(request.name, id, details, folder, operation.lost ?? operation.signal);
    if (await writeConfiguration(spec, parseMemoryBytes(fields.memory))) await haltCacheServer(folder, request.name, context.clock);
    operation.progress('waiting for the cache to answer');
    await runCacheServer(spec);
    await context.records.put(request.address, { ...record, phase: 'made' });
    const { password } = spec.endpoint;
    return {
      id,
      outputs: {
        url: { value: `redis://:${password}@${host}:${port}/0`, secret: true },
        host: { value: host, secret: false },
        port: { value: port, secret: false },
        password: { value: password, secret: true },
      },
    };
  }

  async function serverSpec(
    name: string,
    id: string,
    details: CacheDetails,
    folder: string,
    signal?: AbortSignal,
  ): Promise<CacheServerSpec> {
    const programs = programsFor(details.type);
    const program = findProgram(programs, path);
    if (program === undefined) throw sluiceError('cache_server_missing', { name, programs });
    const password = await context.secrets.derive(id, 'cache', 32);
    const endpoint = { host: details.host, port: details.port, password };
    return { name, program, folder, user, endpoint, clock: context.clock, environment: { PATH: path }, ...(signal && { signal }) };
  }

  async function whereabouts(address: Address): Promise<{ record: ResourceRecord; details: CacheDetails; folder: string } | undefined> {
    const record = await context.records.get(address);
    if (!record) return undefined;
    const details = record.details as unknown as CacheDetails;
    return { record, details, folder: resourceFolder(details.root, cachesGroup, record.madeAs ?? address) };
  }

  return {
    kind: 'cache',
    replaceFields: ['type'],
    // Each copy is a server of its own, on a port and in a folder of its own.
    coexistence: { exclusive: [] },

    async check(block) {
      const programs = programsFor(fieldsOf(block, 'cache').type);
      const where = { position: block.positionOf('type'), address: block.address };
      const program = findProgram(programs, path);
      if (program === undefined) return [problem('cache_server_missing', { name: block.name, programs }, where)];
      if (program.endsWith(`/${programs[0]}`)) return [];
      const how = `served by ${program}, which speaks the same protocol`;
      return [problem('enforced_differently', { field: 'type', how }, { ...where, severity: 'note' })];
    },

    async read(resource) {
      const found = await whereabouts(resource.address);
      if (!found) return { status: 'absent' };
      if (await findCacheServer(found.folder)) return { status: 'present', drift: [] };
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
      const folder = resourceFolder(root, cachesGroup, await context.records.placeOf(resource.address));
      await haltCacheServer(folder, resource.address, context.clock);
      await rm(folder, { recursive: true, force: true });
      await removeEmptyFolders(dirname(folder), root);
      if (relative(context.home, root) !== '') await removeEmptyFolders(root, dirname(dirname(root)));
      await context.records.remove(resource.address);
    },

    async suspend(resource) {
      const found = await whereabouts(resource.address);
      if (found) await haltCacheServer(found.folder, resource.address, context.clock);
    },

    async resume(resource) {
      const found = await whereabouts(resource.address);
      if (!found || found.record.phase !== 'made') return;
      const { name } = partsOf(resource.address);
      await runCacheServer(await serverSpec(name, found.record.id, found.details, found.folder));
    },
  };
}
