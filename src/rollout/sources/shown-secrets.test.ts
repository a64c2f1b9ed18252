import { expect, it } from 'vitest';
import type { ServiceFields } from '../../stack/kinds/service.ts';
import { loadStackText } from '../../stack/load.ts';
import { shownSecrets } from './shown-secrets.ts';

it('refuses what would show a secret to others, at its place, and leaves authorization and what is none alone', () => {
  const loaded = loadStackText(`
secret: { name: k, value: { generated: { length: 32 } } }
database: { name: db, type: PostgreSQL, version: "15", sku: a, storage_gb: 10, backup_retention_days: 1 }
service:
  name: agent
  source: agent
  command: [node, a.js]
  version: 1.0.0
  rollout:
    strategy: canary
    steps: [{ weight: 5 }]
    analysis:
      metrics:
        - { name: a, http: { url: "http://127.0.0.1/?key=\${secret.k}", authorization: "Bearer \${secret.k}" } }
        - { name: b, command: [psql, "\${database.db.url}", "\${database.db.host}"] }
`);
  const block = loaded.ok ? loaded.value.blocks.find(({ kind }) => kind === 'service') : undefined;
  if (!block) throw new Error(loaded.problems.map(({ message }) => message).join('\n'));
  const problems = shownSecrets(block, block.fields as unknown as ServiceFields);
  expect(problems.map(({ code, message, position }) => [code, message, position?.line])).toEqual([
    ['source_shows_secret', "The source 'a' of the service 'agent' would show ${secret.k}, which is secret.", 14],
    ['source_shows_secret', "The source 'b' of the service 'agent' would show ${database.db.url}, which is secret.", 15],
  ]);
});
