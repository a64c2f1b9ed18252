import { join } from 'node:path';
import pg from 'pg';
import { systemClock } from '../../../../effects/clock.ts';
import type { CreateRequest, Applied } from '../../../provider.ts';
import type { ResourceState } from '../../../resource-state.ts';
import { blockOf, type LocalFixture, localFixture, operationOf, requestOf, stateOf, textsOf } from '../../local-fixture.ts';

type Row = Record<string, unknown>;

/** For tests: a database of a home of its own, and queries by the URL that services have. */
export interface RealDatabase {
  readonly local: LocalFixture;
  readonly address: 'default/database/db';
  readonly request: CreateRequest;
  readonly applied: Applied;
  /** Folder of its server. */
  readonly folder: string;
  state(): ResourceState;
  /** Runs the statements one after another; rows of the last. */
  sql(...statements: readonly string[]): Promise<readonly Row[]>;
  /** A time that lies after all that was committed before, and before all that is committed later. */
  aMoment(): Promise<string>;
  remove(): Promise<void>;
}

export async function realDatabase(): Promise<RealDatabase> {
  const local = await localFixture();
  const request = requestOf(local.root, blockOf('database', { name: 'db', type: 'PostgreSQL', version: '15' }));
  const applied = await local.provider.create(request, operationOf('one'));
  const connectionString = textsOf(applied)['url'] ?? '';
  const state = (): ResourceState => stateOf(request, applied);
  return {
    local,
    address: 'default/database/db',
    request,
    applied,
    folder: join(local.home, 'databases', 'default', 'db'),
    state,
    async sql(...statements) {
      const client = new pg.Client({ connectionString });
      client.on('error', () => undefined);
      await client.connect();
      try {
        let rows: readonly Row[] = [];
        for (const statement of statements) rows = (await client.query<Row>(statement)).rows;
        return rows;
      } finally {
        await client.end();
      }
    },
    async aMoment() {
      await systemClock.sleep(5);
      const moment = new Date(systemClock.now()).toISOString();
      await systemClock.sleep(5);
      return moment;
    },
    async remove() {
      await local.provider.delete(state(), operationOf('end'));
      await local.remove();
    },
  };
}
