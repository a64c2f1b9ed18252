import { alternatives, type FieldSchema, fieldSchema } from '../../src/stack/kinds/field-schema.ts';
import { kindSpecs } from '../../src/stack/kinds/index.ts';
import type { KindSpec } from '../../src/stack/kinds/kind-spec.ts';
import { type Kind, kinds } from '../../src/stack/stack.ts';
import { code, generated, table } from './markdown.ts';

const introduction = `# The language

A stack is one YAML file, or a folder: of a folder that holds \`stack.yaml\`, that file and the YAML files in \`stack.d/\`; of any other, every
YAML file directly in it. Top-level keys are kinds; a value is one block or a list of blocks. Every block has a \`name\` of lower-case
letters, digits and dashes, unique in its kind. Unknown fields are errors. Paths are relative to the folder of the stack and stay inside it.

Where text, a number or a list stands, \`\${var.name}\` puts in a variable. Where text stands, \`\${kind.name.output}\` puts in what a
resource gives once it exists, such as \`\${database.support-db.url}\`; \`\${secret.name}\` is a secret's value. A field that is nothing
but one interpolation keeps the type of the value. \`$\${\` stands for the two characters \`\${\`. A block that reads another's output, or
names it in a field marked *after*, is made after it. An environment called \`default\` exists where none is declared.

| type | examples |
| --- | --- |
| duration | \`500ms\`, \`30s\`, \`1m\`, \`24h\`, \`1h30m\` |
| cpu | \`250m\` (a quarter of a processor), \`2\` |
| memory | \`256Mi\`, \`2Gi\`, \`500M\` |
| ratio | \`1.2x\` |
| CIDR | \`10.0.0.0/16\` |

The same rules as JSON Schema, for editors: [stack.schema.json](stack.schema.json), or \`sluice schema\`.`;

const moved = `## moved

What was renamed since it was last applied: one entry or a list. It declares nothing. The resource stays what it is, with its data, under its
new name.

| field | type | default | meaning |
| --- | --- | --- | --- |
| \`from\` | kind/name | *required* | Address it was declared under; no longer declared. |
| \`to\` | kind/name | *required* | Address it is declared under now, of the same kind; or the \`from\` of a later move. |

\`\`\`yaml
moved:
  - { from: database/order-db, to: database/orders }
\`\`\``;

/** One section per kind: what it is, its fields, its outputs, an example. */
export function languagePage(): string {
  return [generated, introduction, ...kinds.map(kindSection), moved, ''].join('\n\n');
}

/** Whether all of a kind or only some of it hold what cannot be made again. */
function statefulness({ stateful }: KindSpec): string {
  if (!stateful) return '';
  const [what, it] = stateful({}) ? ['What it holds', 'it'] : ['What Sluice itself has generated', 'such a one'];
  return ` ${what} cannot be made again: an apply removes or replaces ${it} only with \`--allow-destroy KIND/NAME\`.`;
}

function kindSection(kind: Kind): string {
  const spec = kindSpecs[kind];
  const outputs = Object.entries(spec.outputs).map(([name, { description, secret }]) => [
    code(`\${${kind}.name.${name}}`),
    secret ? `${description} Secret.` : description,
  ]);
  return [
    `## ${kind}`,
    `${spec.summary}${statefulness(spec)}`,
    table(['field', 'type', 'default', 'meaning'], fieldRows(fieldSchema(kind), '')),
    ...(outputs.length > 0 ? [table(['output', 'meaning'], outputs)] : []),
    `\`\`\`yaml\n${spec.example}\`\`\``,
  ].join('\n\n');
}

function fieldRows(schema: FieldSchema, prefix: string): string[][] {
  const choices = alternatives(schema);
  const maps = choices.filter(({ properties }) => properties);
  const rows = new Map<string, string[][]>();
  for (const choice of choices) {
    for (const [name, field] of Object.entries(choice.properties ?? {})) {
      const path = `${prefix}${name}`;
      const below = alternatives(field).flatMap((alternative) => (alternative.items ? fieldRows(alternative.items, `${path}[].`) : []));
      rows.set(path, [
        [code(path), typeName(field), defaultText(field, name, maps), field.description ?? ''],
        ...fieldRows(field, `${path}.`),
        ...below,
      ]);
    }
  }
  return [...rows.values()].flat();
}

/** `maps` are the alternatives the field is one of the fields of: required in all of them, or what tells one from the others. */
function defaultText(field: FieldSchema, name: string, maps: readonly FieldSchema[]): string {
  const requiring = maps.filter(({ required }) => required?.includes(name)).length;
  if (requiring > 0) return requiring === maps.length ? '*required*' : '*one of*';
  const { default: value } = field;
  if (value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)) return '';
  return code(typeof value === 'string' ? value : JSON.stringify(value));
}

function typeName(field: FieldSchema): string {
  const refersTo = field['x-refers-to'];
  if (refersTo) return `${refersTo.map((kind) => `[${kind}](#${kind})`).join(' or ')}${field['x-ordering'] ? ', *after*' : ''}`;
  if (field['x-type']) return field['x-type'];
  if (field['x-subnet']) return 'name of a subnet, *after* its network';
  if (field['x-path']) return `path of a ${field['x-path']}`;
  if (field.enum) return field.enum.map((value) => code(String(value))).join(', ');
  if (typeof field.const === 'string') return code(field.const);
  const choices = field.anyOf ?? field.oneOf;
  if (choices) return [...new Set(choices.map(typeName))].join(' or ');
  if (field.items) return `list of ${typeName(field.items)}`;
  if (typeof field.additionalProperties === 'object') return `map of ${typeName(field.additionalProperties)}`;
  return scalarName(field);
}

function scalarName({ type, minimum, maximum }: FieldSchema): string {
  if (Array.isArray(type)) return type.map((one: string) => scalarName({ type: one })).join(', ');
  const bounded = minimum !== undefined && maximum !== undefined && maximum < 2 ** 40;
  const range = bounded ? `, ${minimum} to ${maximum}` : '';
  const names: Readonly<Record<string, string>> = {
    string: 'text',
    integer: `whole number${range}`,
    number: 'number',
    boolean: '`true`, `false`',
    object: 'map',
  };
  return typeof type === 'string' ? (names[type] ?? type) : 'anything';
}
