import { isJsonObject, type Json, type JsonObject } from '../../digest/json.ts';
import { listOf, referred } from './document-parts.ts';
import { intersection, ownForm, type Schema, type SchemaForm } from './schema-form.ts';

/** The schemas of one description. */
export interface SchemaReader {
  readonly document: JsonObject;
  /** The form of a schema; `true`, `{}` and whatever is no schema allow everything, `false` nothing. */
  formOf(schema: Schema): SchemaForm;
  /** A schema as its alternatives, each without any of its own; undefined when there are too many of them. */
  variantsOf(form: SchemaForm): readonly Variant[] | undefined;
}

export interface Variant {
  readonly schema: Schema;
  /** The alternatives it was chosen by; empty for the only one. */
  readonly chosen: readonly Json[];
}

/** With all that are passed through on the way to them. */
const mostVariants = 64;
const nothing: JsonObject = { type: ['nothing'] };
const null31: JsonObject = { type: 'null' };
/** Keywords that change no value. */
const remarks = new Set(['$ref', 'description', 'summary', 'title', '$comment', 'example', 'examples', 'deprecated']);

/** Reads each schema once, whatever refers to it, so that comparing descriptions that refer in circles and in nets ends soon. */
export function createSchemaReader(document: JsonObject): SchemaReader {
  // As a number of YAML, 3.0 is 3.
  const isOld = /^3(\.0(\.|$)|$)/.test(JSON.stringify(document['openapi']).replaceAll('"', ''));
  const numbers = new Map<JsonObject, number>();
  const forms = new Map<string, SchemaForm>();
  const bare = createVariations(['anyOf', 'oneOf', 'discriminator']);
  const strict = createVariations(['nullable']);

  const groups = new Map<readonly Json[], JsonObject>();
  function eitherOf(group: readonly Json[]): JsonObject {
    const node = groups.get(group) ?? { anyOf: group };
    groups.set(group, node);
    return node;
  }

  function numberOf(node: JsonObject): number {
    const known = numbers.get(node) ?? numbers.size;
    numbers.set(node, known);
    return known;
  }

  /** All nodes that say something themselves, with references and `allOf` followed. */
  function leavesOf(schema: Schema) {
    const leaves = new Set<JsonObject>();
    const elsewhere = new Set<string>();
    const nullable: JsonObject[] = [];
    const seen = new Set<Json>();
    const waiting = [...schema];
    for (let index = 0; index < waiting.length; index += 1) {
      const node = waiting[index];
      if (node === false) leaves.add(nothing);
      if (!isJsonObject(node) || seen.has(node)) continue;
      seen.add(node);
      const reference = node['$ref'];
      if (typeof reference === 'string') {
        const target = referred(document, reference);
        if (target === undefined) elsewhere.add(reference);
        else waiting.push(target);
        // OpenAPI 3.0 looks at nothing beside a reference.
        if (isOld || Object.keys(node).every((name) => remarks.has(name))) continue;
      }
      if (isOld && node['nullable'] === true && node['type'] === undefined) {
        nullable.push(strict(node));
        continue;
      }
      waiting.push(...listOf(node['allOf']));
      leaves.add(node);
    }
    return { leaves: [...leaves], elsewhere, nullable };
  }

  function formOf(schema: Schema): SchemaForm {
    const { leaves, elsewhere, nullable } = leavesOf(schema);
    const parts = [...leaves, ...nullable].map(numberOf).toSorted((one, other) => one - other);
    const key = [...parts, ...elsewhere].join(',');
    const known = forms.get(key);
    if (known) return known;
    const merged = leaves.map((leaf) => ownForm(isOld ? leaf : strict(leaf))).reduce(intersection, ownForm({}));
    const form: SchemaForm = {
      ...merged,
      key,
      elsewhere,
      choices: [...merged.choices, ...nullable.map((node) => [node, null31])],
      base: [...leaves.map(bare), ...[...elsewhere].map((reference) => ({ $ref: reference }))],
    };
    forms.set(key, form);
    return form;
  }

  function variantsOf(form: SchemaForm): readonly Variant[] | undefined {
    const done: Variant[] = [];
    const open: { readonly form: SchemaForm; readonly chosen: readonly Json[] }[] = [{ form, chosen: [] }];
    for (const { form: next, chosen } of open) {
      const [group, ...others] = next.choices;
      if (group === undefined) done.push({ schema: next.base, chosen });
      else {
        const rest = [...next.base, ...others.map(eitherOf)];
        for (const option of group) open.push({ form: formOf([...rest, option]), chosen: [...chosen, option] });
      }
      if (open.length > mostVariants) return undefined;
    }
    return done;
  }

  return { document, formOf, variantsOf };
}

/** The same node without some of its keywords, and always the same object for it. */
function createVariations(without: readonly string[]): (node: JsonObject) => JsonObject {
  const known = new Map<JsonObject, JsonObject>();
  return (node) => {
    if (!without.some((keyword) => keyword in node)) return node;
    const made = known.get(node) ?? Object.fromEntries(Object.entries(node).filter(([keyword]) => !without.includes(keyword)));
    known.set(node, made);
    return made;
  };
}
