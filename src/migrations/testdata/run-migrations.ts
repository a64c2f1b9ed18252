import { systemClock } from '../../effects/clock.ts';
import { migrationsOf } from '../../release/migrations/migration-set.ts';
import { createPostgresMigrations } from '../postgres-migrations.ts';

/** A control plane of its own, to be killed: runs one migration in the database of the URL it is given. */
const [url = '', name = '', sql = ''] = process.argv.slice(2);
const { migrations } = migrationsOf([{ path: `migrations/${name}`, digest: 'sha256:1', text: sql }]);
await createPostgresMigrations({ clock: systemClock }).run({
  url,
  service: 'agent',
  migrations,
  waiting: new Set(),
  signal: new AbortController().signal,
  progress: (line) => process.stdout.write(`${line}\n`),
});
