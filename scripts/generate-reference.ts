import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cliReference } from '../src/cli/reference.ts';
import { messageJsonSchema } from '../src/notifications/message-body.ts';
import { stackJsonSchema } from '../src/stack/schema.ts';
import { errorsPage } from './reference/errors-page.ts';
import { languagePage } from './reference/language-page.ts';

/** The reference documentation, by its path in the repository: made from the schemas and the error catalogue, never by hand. */
const pages: Readonly<Record<string, () => string>> = {
  'docs/reference/language.md': languagePage,
  'docs/reference/cli.md': cliReference,
  'docs/reference/errors.md': errorsPage,
  'docs/reference/webhook.schema.json': () => `${JSON.stringify(messageJsonSchema(), null, 2)}\n`,
  'docs/reference/stack.schema.json': () => `${JSON.stringify(stackJsonSchema(), null, 2)}\n`,
};

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const check = process.argv.includes('--check');
const stale: string[] = [];

for (const [path, render] of Object.entries(pages)) {
  const file = join(repository, path);
  const wanted = render();
  const found = await readFile(file, 'utf8').catch(() => undefined);
  if (found === wanted) continue;
  stale.push(path);
  if (check) continue;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, wanted);
}

if (check && stale.length > 0) {
  console.error(`Stale: ${stale.join(', ')}. Run \`npm run docs\` and commit the result.`);
  process.exitCode = 1;
} else {
  console.log(stale.length === 0 ? 'The reference documentation is up to date.' : `Written: ${stale.join(', ')}.`);
}
