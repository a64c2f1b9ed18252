import type { ArgumentSpec, Completes, OptionSpec } from './command.ts';
import { sluiceError } from '../errors/sluice-error.ts';

/** A switch, off unless given. */
export function flag(description: string, short?: string): OptionSpec<boolean> {
  return { description, fallback: false, ...(short !== undefined && { short }) };
}

export function text(
  value: string,
  description: string,
  more: { short?: string; completes?: Completes } = {},
): OptionSpec<string | undefined> {
  return { value, description, ...more };
}

export function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  description: string,
  fallback: NoInfer<Choice>,
): OptionSpec<Choice> {
  return {
    value: choices.join('|'),
    description,
    completes: choices,
    fallback,
    parse: (given) => {
      const choice = choices.find((candidate) => candidate === given);
      if (choice === undefined) throw sluiceError('usage', { reason: `'${given}' is not one of ${choices.join(', ')}.` });
      return choice;
    },
  };
}

export function count(value: string, description: string): OptionSpec<number | undefined> {
  return { value, description, parse: (given) => wholeNumber(value, given) };
}

/** `--var name=value`, any number of times. */
export const variables: OptionSpec<Readonly<Record<string, string>>> = {
  value: 'name=value',
  description: 'Sets a variable of the stack; can be repeated',
  fallback: {},
  parse: (given, previous) => {
    const at = given.indexOf('=');
    if (at < 1) throw sluiceError('usage', { reason: `'${given}' is not of the form name=value.` });
    return { ...previous, [given.slice(0, at)]: given.slice(at + 1) };
  },
};

export const environment = text('name', 'Environment of the stack; default: the first it declares', { short: 'e' });
/** For a command about one resource that is found by its name. */
export const holdingEnvironment = text('name', 'Environment it is in; default: the only one that has it', { short: 'e' });
export const inEnvironment = text('name', 'Only this environment; default: all', { short: 'e' });
export const stackOption = text('path', 'Stack whose control plane is meant; default: the nearest `.sluice` from here upward', {
  short: 's',
  completes: 'files',
});
export const yes = flag('Agrees beforehand to every question', 'y');
/** `--name value`, any number of times. */
function repeated(value: string, description: string): OptionSpec<readonly string[]> {
  return { value, description: `${description}; can be repeated`, fallback: [], parse: (given, previous) => [...(previous ?? []), given] };
}

export const allowDestroy = repeated(
  'address',
  'Lets this one resource (kind/name) be deleted or replaced although it is protected or holds data',
);
export const allowMassDestroy = flag('Lets a plan delete everything, or more than half of what there is');
export const target = repeated('address', 'Only this resource (kind/name) and what it needs');
export const exclude = repeated('address', 'All but this resource (kind/name) and what stands on it');
const refreshOnly = flag('Only records what was found; changes nothing real');

/** What limits a plan and what it may lose: for every command that makes one. */
export const planLimits = { allowDestroy, allowMassDestroy, target, exclude, refreshOnly } as const;

export const reason = text('text', 'Why; goes into the audit log');
export const parallelism = count('number', 'Changes made at the same time; default: 10');

export const stackArgument = {
  name: 'stack',
  description: 'A stack: a YAML file, or a folder with one. Default: the current folder',
  completes: 'files',
} as const satisfies ArgumentSpec;

export function wholeNumber(what: string, given: string): number {
  const number = Number(given);
  if (!/^\d+$/.test(given) || !Number.isSafeInteger(number)) {
    throw sluiceError('usage', { reason: `${what} has to be a whole number, not '${given}'.` });
  }
  return number;
}
