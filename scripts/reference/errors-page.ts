import { accessErrors } from '../../src/errors/access-errors.ts';
import { apiErrors } from '../../src/errors/api-errors.ts';
import { catalogue } from '../../src/errors/catalogue.ts';
import { cliErrors } from '../../src/errors/cli-errors.ts';
import { containerErrors } from '../../src/errors/container-errors.ts';
import { engineErrors } from '../../src/errors/engine-errors.ts';
import type { CatalogueEntry } from '../../src/errors/entry.ts';
import { flagErrors } from '../../src/errors/flag-errors.ts';
import { gatewayErrors } from '../../src/errors/gateway-errors.ts';
import { migrationErrors } from '../../src/errors/migration-errors.ts';
import { notificationErrors } from '../../src/errors/notification-errors.ts';
import { planErrors } from '../../src/errors/plan-errors.ts';
import { providerErrors } from '../../src/errors/provider-errors.ts';
import { serviceErrors } from '../../src/errors/service-errors.ts';
import { stackErrors } from '../../src/errors/stack-errors.ts';
import { storeErrors } from '../../src/errors/store-errors.ts';
import { code, generated, table } from './markdown.ts';

const areas: Readonly<Record<string, object>> = {
  'Stack files': stackErrors,
  Plans: planErrors,
  Engine: engineErrors,
  Containers: containerErrors,
  Providers: providerErrors,
  'Services and rollouts': serviceErrors,
  Migrations: migrationErrors,
  Flags: flagErrors,
  'Notifications and hooks': notificationErrors,
  Gateway: gatewayErrors,
  Store: storeErrors,
  Access: accessErrors,
  API: apiErrors,
  'Command line': cliErrors,
};

const introduction = `Every error has a code that never changes its meaning, an HTTP status, and a retry class: \`terminal\` is not tried
again until something changes, \`wait\` is tried when a condition is met, \`retry\` is tried again with backoff. Words in braces stand for
what differs.`;

/** Every error a user can meet, with what stands in for its parameters in braces. */
export function errorsPage(): string {
  const listed = new Set(Object.values(areas).flatMap((area) => Object.keys(area)));
  const missing = Object.keys(catalogue).filter((name) => !listed.has(name));
  if (missing.length > 0) throw new Error(`errors of no area: ${missing.join(', ')}`);
  const sections = Object.entries(areas)
    .filter(([, area]) => Object.keys(area).length > 0)
    .map(([title, area]) => section(title, area as Record<string, CatalogueEntry<unknown>>));
  return [generated, '# Errors', introduction, ...sections, ''].join('\n\n');
}

function section(title: string, area: Record<string, CatalogueEntry<unknown>>): string {
  const rows = Object.entries(area)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, row]) => [code(name), String(row.status), row.retry, render(row.message), render(row.help)]);
  return `## ${title}\n\n${table(['code', 'status', 'retry', 'message', 'what to do'], rows)}`;
}

function render(text: (parameters: unknown) => string): string {
  const parameters = new Proxy({}, { get: (_, name) => (typeof name === 'string' ? placeholder(`{${name}}`) : undefined) });
  try {
    // As an element of a list a text may come out as nothing but a stand-in.
    return [text(parameters)].join('').replaceAll('<', '&lt;');
  } catch {
    return '';
  }
}

/** A value that is its own name wherever it is read as text, and itself whatever is done with it. */
function placeholder(text: string): unknown {
  const stand: unknown = new Proxy(() => stand, {
    get: (_, name) => {
      if (name === Symbol.toPrimitive || name === 'toString' || name === 'join') return () => text;
      return name === 'length' ? 2 : stand;
    },
    apply: () => stand,
  });
  return stand;
}
