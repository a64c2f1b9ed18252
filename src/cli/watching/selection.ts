import type { Client } from '../../api/client.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { kinds, type Kind } from '../../stack/stack.ts';
import type { ArgumentSpec } from '../command.ts';
import { environmentsOf } from '../changing/planning.ts';
import { nearestName } from '../../stack/suggest.ts';

/** Words people use for a kind: `service`, `services`, `virtual-machine`, `virtual_machines`. */
export function kindOf(word: string): Kind {
  const wanted = word.toLowerCase().replaceAll('-', '_');
  const kind = kinds.find((candidate) => candidate === wanted || pluralOf(candidate) === wanted);
  if (kind !== undefined) return kind;
  const nearest = nearestName(wanted, kinds);
  throw sluiceError('usage', { reason: `There is no kind '${word}'.`, command: 'get', ...(nearest !== undefined && { nearest }) });
}

function pluralOf(kind: string): string {
  return kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
}

/** Finds the one resource a command is about: in the named environment, or in the only one that has it. */
export async function environmentHolding(client: Client, wanted: string | undefined, kind: Kind, name: string): Promise<string> {
  const environments = await environmentsOf(client, wanted);
  const listed = await Promise.all(
    environments.map(async (environment) => ({ environment, resources: await client.listResources(environment) })),
  );
  const holding = listed.filter(({ resources }) => resources.some((resource) => resource.kind === kind && resource.name === name));
  const [only, ...others] = holding;
  if (only === undefined) {
    const names = [
      ...new Set(listed.flatMap(({ resources }) => resources.filter((resource) => resource.kind === kind).map(({ name }) => name))),
    ];
    const nearest = nearestName(name, names);
    throw sluiceError('not_applied', { kind, name, known: names, ...(nearest !== undefined && { nearest }) });
  }
  if (others.length > 0) {
    const places = holding.map(({ environment }) => environment).join(', ');
    throw sluiceError('usage', { reason: `The ${kind} '${name}' is in several environments (${places}): name one with -e.` });
  }
  return only.environment;
}

/** The same for a flag, by a small question for each environment: a kill switch does not wait for a list of everything there is. */
export async function environmentOfFlag(client: Client, wanted: string | undefined, name: string): Promise<string> {
  const environments = wanted === undefined ? await environmentsOf(client, undefined) : [wanted];
  const holding = await Promise.all(
    environments.map((environment) =>
      client.getFlag(environment, name).then(
        () => [environment],
        () => [],
      ),
    ),
  );
  const [only, ...others] = holding.flat();
  return only === undefined || others.length > 0 ? environmentHolding(client, wanted, 'flag', name) : only;
}

export const addressArgument = {
  name: 'address',
  description: 'KIND/NAME, or ENVIRONMENT/KIND/NAME',
  required: true,
} as const satisfies ArgumentSpec;

/** What a word such as `database/orders` or `production/database/orders` means. */
export function resourceWord(word: string): { readonly kind: Kind; readonly name: string; readonly environment?: string } {
  const parts = word.split('/');
  const [name, kindWord, environment] = parts.toReversed();
  if (name === undefined || kindWord === undefined || parts.length > 3) {
    throw sluiceError('usage', { reason: `'${word}' is not of the form KIND/NAME.` });
  }
  return { kind: kindOf(kindWord), name, ...(environment !== undefined && { environment }) };
}
