import type { Json } from '../digest/json.ts';
import { problem, type SourcePosition } from '../errors/sluice-error.ts';
import type { VariableFields } from './kinds/variable.ts';
import type { ProblemList } from './problems.ts';
import { describeValue } from './source/node.ts';

type VariableType = VariableFields['type'];

const fits: Readonly<Record<VariableType, (value: Json) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: (value) => Number.isSafeInteger(value),
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  list: (value) => Array.isArray(value),
};

export function checkVariableValue(
  { name, type, value }: { name: string; type: VariableType; value: Json },
  position: SourcePosition,
  problems: ProblemList,
): void {
  if (!fits[type](value)) problems.add(() => problem('variable_type', { name, type, found: describeValue(value) }, { position }));
}

/** The value of a variable given as text on the command line; undefined when the text is no value of the type. A list is comma separated. */
export function parseVariable(type: VariableType, text: string): Json | undefined {
  return parsers[type](text);
}

const parsers: Readonly<Record<VariableType, (text: string) => Json | undefined>> = {
  string: (text) => text,
  integer: (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : undefined),
  number: (text) => (/^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : undefined),
  boolean: (text) => (text === 'true' || text === 'false' ? text === 'true' : undefined),
  list: (text) => (text === '' ? [] : text.split(',').map((item) => item.trim())),
};
