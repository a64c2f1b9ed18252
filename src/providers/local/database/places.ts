import { createTurns } from '../../../effects/turns.ts';
import type { JsonObject } from '../../../digest/json.ts';
import { sluiceError } from '../../../errors/sluice-error.ts';
import { fieldsOf } from '../../../stack/kinds/index.ts';
import type { Address, Kind } from '../../../stack/stack.ts';
import type { ResourceRecord } from '../records.ts';
import type { LocalContext } from '../resource-handler.ts';
import { partsOf, resourceFolder } from '../resource-names.ts';
import { type ServerUser, serverUser } from '../server/server-user.ts';
import type { ServerSettings } from './cluster.ts';
import { chooseInstallation, findInstallations, howToInstall } from './installations.ts';
import { runServer } from './postgres-server.ts';
import { usablePrograms } from './programs.ts';
import { databaseName, type Endpoint } from './roles.ts';
import { databaseSizing, skuExamples } from './sizing.ts';

/** What the record of a database holds. */
export interface DatabaseDetails {
  /** Folder under which servers keep their data; see serversRoot. */
  readonly root: string;
  readonly host: string;
  readonly port: number;
  readonly version: string;
  /** What care between applies goes by. Absent until a database from before that was resumed once. */
  readonly declared?: DeclaredDatabase;
}

export type DeclaredDatabase = {
  readonly sku: string;
  readonly storageGb: number;
  readonly retentionDays: number;
  /** Folder of the stack: programs may lie beside it. */
  readonly stackRoot: string;
};

export interface PlacedDatabase {
  readonly record: ResourceRecord;
  readonly details: DatabaseDetails;
  /** Folder of the server. */
  readonly folder: string;
  readonly name: string;
  /** The database on the server; a resource that moved keeps the one it was made with. */
  readonly database: string;
}

/** Where databases are and how they are reached: what the handler and the keeper share. */
export interface DatabasePlaces {
  readonly user: ServerUser | undefined;
  /** What is done with one database is done one after another. */
  inTurn<Result>(address: Address, task: () => Promise<Result>): Promise<Result>;
  find(address: Address): Promise<PlacedDatabase | undefined>;
  endpointOf(id: string, details: DatabaseDetails): Promise<Endpoint>;
  /** Throws `database_version_unavailable`. */
  programsFor(details: DatabaseDetails): Promise<string>;
  /** Runs the server of a database that is there, or adopts the one that runs. */
  run(address: Address): Promise<void>;
}

export const databasesGroup = 'databases';

export function createDatabasePlaces(context: LocalContext): DatabasePlaces {
  const user = serverUser();
  const places: DatabasePlaces = {
    user,
    inTurn: createTurns(),
    async find(address) {
      const record = await context.records.get(address);
      if (!record) return undefined;
      const details = record.details as unknown as DatabaseDetails;
      const place = record.madeAs ?? address;
      const folder = resourceFolder(details.root, databasesGroup, place);
      return { record, details, folder, name: partsOf(address).name, database: databaseName(partsOf(place).name) };
    },
    async endpointOf(id, { host, port }) {
      return { host, port, password: await context.secrets.derive(id, 'database administrator', 32) };
    },
    async programsFor({ root, version, declared }) {
      const installations = await findInstallations(declared?.stackRoot ?? root, context.environment['PATH'] ?? '');
      const installation = chooseInstallation(installations, version);
      if (installation) return usablePrograms(installation, root, user, context.random);
      throw sluiceError('database_version_unavailable', {
        version,
        available: installations.map((found) => found.version),
        install: howToInstall(version),
      });
    },
    async run(address) {
      const found = await places.find(address);
      if (!found) return;
      const { record, details, folder, name } = found;
      const programs = await places.programsFor(details);
      const endpoint = await places.endpointOf(record.id, details);
      await runServer({ name, programs, folder, user, endpoint, clock: context.clock });
    },
  };
  return places;
}

/** What is to be remembered of the fields: those of a request, or as they were declared. */
export function declaredOf(
  resource: { readonly kind: Kind; readonly root: string } & ({ readonly fields: JsonObject } | { readonly declared: JsonObject }),
): DeclaredDatabase {
  const fields = 'fields' in resource ? resource.fields : resource.declared;
  const { sku, storage_gb: storageGb, backup_retention_days: retentionDays } = fieldsOf({ kind: resource.kind, fields }, 'database');
  return { sku, storageGb, retentionDays, stackRoot: resource.root };
}

/** Throws `unknown_database_sku`. */
export function settingsOf({ host, port, declared }: DatabaseDetails): ServerSettings {
  const sku = declared?.sku ?? '';
  const sizing = databaseSizing(sku);
  if (!sizing) throw sluiceError('unknown_database_sku', { sku, examples: skuExamples });
  return { host, port, sizing, archived: (declared?.retentionDays ?? 0) > 0 };
}
