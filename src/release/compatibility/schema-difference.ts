import { isJsonObject, type Json } from '../../digest/json.ts';
import { objectOf } from './document-parts.ts';
import { allows, type Schema, type SchemaForm, typesIn } from './schema-form.ts';
import type { SchemaReader, Variant } from './schema-reader.ts';
import { compareValues, type Difference } from './schema-values.ts';

/** Who reads what is compared: the server a request, or a client an answer. */
export interface Way {
  readonly direction: 'request' | 'response';
  /** Written into a URL or a header, where everything is text. */
  readonly isText?: boolean;
}

/**
 * Every way found in which a value allowed by `given` is not allowed by `taken`; none when all of `given` fits into `taken`. Conservative
 * where JSON Schema is beyond deciding: what is not the same counts as different.
 */
export type SchemaComparison = (given: Schema, taken: Schema, way: Way) => readonly Difference[];

const mostDifferences = 200;
/** Of pairs of schemas in all comparisons of two descriptions: what people write needs a few thousand. */
const mostPairs = 100_000;
const deepest = 200;

interface Progress {
  pairs: number;
  depth: number;
}

/** Compares schemas of one description with those of another, each pair once. `given` are the schemas of the first. */
export function createSchemaComparison(
  given: SchemaReader,
  taken: SchemaReader,
  progress: Progress = { pairs: 0, depth: 0 },
  back?: SchemaComparison,
): SchemaComparison {
  const known = new Map<string, readonly Difference[]>();
  let opposite = back;

  function compare(one: Schema, other: Schema, way: Way): readonly Difference[] {
    const [own, wanted] = [given.formOf(one), taken.formOf(other)];
    return once('whole', own, wanted, way, () => [...compareDiscriminators(own, wanted), ...compareVariants(own, wanted, way)]);
  }

  function once(
    what: string,
    own: SchemaForm,
    wanted: SchemaForm,
    { direction, isText }: Way,
    find: () => readonly Difference[],
  ): readonly Difference[] {
    const key = `${what} ${direction}${isText === true ? ' text' : ''} ${own.key} ${wanted.key}`;
    const earlier = known.get(key);
    if (earlier) return earlier;
    progress.pairs += 1;
    if (progress.pairs > mostPairs || progress.depth >= deepest) return [{ at: '', kind: 'cut', detail: '' }];
    // A schema that contains itself is the same on the way down.
    known.set(key, []);
    progress.depth += 1;
    const found = distinct(find());
    progress.depth -= 1;
    known.set(key, found);
    return found;
  }

  /** Every alternative of the one must fit into some alternative of the other. */
  function compareVariants(own: SchemaForm, wanted: SchemaForm, way: Way): readonly Difference[] {
    if (own.choices.length === 0 && wanted.choices.length === 0) return compareForms(own, wanted, way);
    const [offered, places] = [given.variantsOf(own), taken.variantsOf(wanted)];
    if (offered === undefined || places === undefined) return compareGroups(own, wanted, way);
    return offered.flatMap((variant, index): readonly Difference[] => {
      const name = nameOf(variant);
      const namesake = places.findIndex((place) => name !== '' && nameOf(place) === name);
      // Alternatives without names are taken for one another by their place.
      const isPlain = [...offered, ...places].every((each) => nameOf(each) === '');
      const isPaired = offered.length === places.length && (isPlain || places.length === 1);
      const likely = places[isPaired ? index : namesake];
      const form = given.formOf(variant.schema);
      const compared = likely && compareForms(form, taken.formOf(likely.schema), way);
      if (compared && fits(compared)) return compared;
      for (const place of places) {
        const found = place === likely ? [] : compareForms(form, taken.formOf(place.schema), way);
        if (place !== likely && fits(found)) return found;
      }
      return compared ?? [{ at: '', kind: 'options', detail: labelOf(variant) }];
    });
  }

  /** Where alternatives multiply beyond counting: each group of them beside the group at its place. */
  function compareGroups(own: SchemaForm, wanted: SchemaForm, way: Way): readonly Difference[] {
    const found = [...compareForms(given.formOf(own.base), taken.formOf(wanted.base), way)];
    wanted.choices.forEach((group, index) => {
      for (const option of own.choices[index] ?? [true]) {
        if (group.some((place) => fits(compare([option], [place], way)))) continue;
        found.push({ at: '', kind: 'options', detail: labelOf({ schema: [], chosen: [option] }) });
      }
    });
    return found;
  }

  /** Two schemas without alternatives. */
  function compareForms(own: SchemaForm, wanted: SchemaForm, way: Way): readonly Difference[] {
    return once('plain', own, wanted, way, () => differencesOf(own, wanted, way));
  }

  function differencesOf(own: SchemaForm, wanted: SchemaForm, way: Way): readonly Difference[] {
    const elsewhere = [...wanted.elsewhere].filter((reference) => !own.elsewhere.has(reference));
    // What another file says is not known: that it is the same file says enough.
    if (wanted.elsewhere.size > 0 || own.elsewhere.size > 0) {
      const unknown = elsewhere.length > 0 ? elsewhere : [...own.elsewhere].filter((reference) => !wanted.elsewhere.has(reference));
      if (unknown.length > 0) return unknown.map((reference) => ({ at: '', kind: 'elsewhere', detail: reference }));
    }
    const isBoth = (type: 'object' | 'array'): boolean => mayBe(own, type) && allows(wanted.types, type);
    return [
      ...compareValues(own, wanted, way.isText === true),
      ...(isBoth('object') ? compareProperties(own, wanted, way) : []),
      ...(isBoth('array') ? compareItems(own, wanted, way) : []),
      ...compareWholes(own, wanted, way),
      ...compareDefaults(own, wanted, way),
    ];
  }

  function compareProperties(own: SchemaForm, wanted: SchemaForm, way: Way): readonly Difference[] {
    const found: Difference[] = [];
    const isRequest = way.direction === 'request';
    const mark = isRequest ? 'readOnly' : 'writeOnly';
    // Such a property is in answers only, or in requests only.
    const isOutside = (name: string): boolean =>
      given.formOf(own.properties.get(name) ?? []).marks.has(mark) || taken.formOf(wanted.properties.get(name) ?? []).marks.has(mark);
    const others = wanted.keywords.has('patternProperties') ? undefined : wanted.otherProperties;
    for (const name of wanted.required) {
      if (own.required.has(name) || isOutside(name)) continue;
      found.push({ at: name, kind: 'required', detail: own.properties.has(name) ? 'named' : 'new' });
    }
    for (const [name, schema] of own.properties) {
      if (isOutside(name)) continue;
      const counterpart = wanted.properties.get(name) ?? others;
      if (counterpart === false) found.push({ at: name, kind: 'closed', detail: name });
      else if (counterpart !== undefined) found.push(...within(name, compare(schema, counterpart, way)));
      else if (isRequest && wanted.properties.size > 0 && !given.formOf(schema).marks.has('deprecated'))
        found.push({ at: name, kind: 'named', detail: name });
    }
    for (const [name, schema] of wanted.properties) {
      if (own.properties.has(name) || isOutside(name)) continue;
      if (!isRequest && !wanted.required.has(name)) found.push({ at: name, kind: 'named', detail: name });
      if (own.otherProperties) found.push(...within(name, compare(own.otherProperties, schema, way)));
    }
    if (others === false && own.otherProperties !== false) found.push({ at: '', kind: 'closed', detail: 'properties that are not named' });
    if (others && own.otherProperties !== false) found.push(...within('*', compare(own.otherProperties ?? [], others, way)));
    return found;
  }

  function compareItems(own: SchemaForm, wanted: SchemaForm, way: Way): readonly Difference[] {
    const places = Math.max(own.prefix.length, wanted.prefix.length);
    const found = Array.from({ length: places }, (_, index) => {
      const schema = wanted.prefix[index] ?? wanted.items;
      return schema === undefined ? [] : within(`[${index}]`, compare(own.prefix[index] ?? own.items ?? [], schema, way));
    });
    const rest = wanted.items === undefined ? [] : within('[]', compare(own.items ?? [], wanted.items, way));
    return [...found.flat(), ...rest];
  }

  function compareWholes(own: SchemaForm, wanted: SchemaForm, way: Way): readonly Difference[] {
    const found: Difference[] = [];
    for (const [keyword, schema] of wanted.keywords) {
      const counterpart = own.keywords.get(keyword);
      if (counterpart === undefined || !isSame(counterpart, schema, way)) found.push({ at: '', kind: 'whole', detail: keyword });
    }
    return found;
  }

  /** Whether two values of a keyword say the same: numbers and words, schemas, or schemas by name. */
  function isSame(one: Schema, other: Schema, way: Way): boolean {
    const [plain, counterpart] = [JSON.stringify(one), JSON.stringify(other)];
    if (!plain.includes('{')) return plain === counterpart;
    const mirrored = (opposite ??= createSchemaComparison(taken, given, progress, compare));
    const isEqual = (left: Schema, right: Schema): boolean => fits(compare(left, right, way)) && fits(mirrored(right, left, way));
    if (plain === counterpart && !plain.includes('"$ref"')) return true;
    const [left, right] = [objectOf(one[0]), objectOf(other[0])];
    const names = [...new Set([...Object.keys(left), ...Object.keys(right)])];
    const isByName = names.every((name) => [left[name], right[name]].every((value) => isJsonObject(value) || Array.isArray(value)));
    if (!isByName) return isEqual(one, other);
    return names.every((name) => left[name] !== undefined && right[name] !== undefined && isEqual([left[name]], [right[name]]));
  }

  return compare;
}

function compareDefaults(own: SchemaForm, wanted: SchemaForm, { direction }: Way): readonly Difference[] {
  const [before, after] = [own.standard, wanted.standard].map((value) => (value === undefined ? 'none' : JSON.stringify(value)));
  return direction === 'response' || before === after ? [] : [{ at: '', kind: 'default', detail: `${before} to ${after}` }];
}

/** By which property, and by which of its values, alternatives are told apart. */
function compareDiscriminators({ discriminator: own }: SchemaForm, { discriminator: wanted }: SchemaForm): readonly Difference[] {
  if (!own || !wanted) return [];
  if (own['propertyName'] !== wanted['propertyName']) return toldApart(JSON.stringify(wanted['propertyName'] ?? null).replaceAll('"', ''));
  if (!isJsonObject(own['mapping']) || !isJsonObject(wanted['mapping'])) return [];
  const mapping = wanted['mapping'];
  const others = Object.entries(own['mapping']).filter(([name, target]) => lastOf(mapping[name]) !== lastOf(target));
  return others.length === 0 ? [] : toldApart(others.map(([name]) => name).join(', '));
}

function toldApart(detail: string): readonly Difference[] {
  return [{ at: '', kind: 'discriminator', detail }];
}

function lastOf(target: Json | undefined): string | undefined {
  return typeof target === 'string' ? target.split('/').at(-1) : undefined;
}

function mayBe({ types, values }: SchemaForm, type: 'object' | 'array'): boolean {
  return values ? typesIn(values).has(type) : types === undefined || types.has(type);
}

function fits(found: readonly Difference[]): boolean {
  return found.every(({ kind }) => kind === 'default');
}

function distinct(found: readonly Difference[]): readonly Difference[] {
  const all = new Map(found.map((each) => [`${each.at}\0${each.kind}\0${each.detail}`, each]));
  return [...all.values()].slice(0, mostDifferences);
}

function within(place: string, found: readonly Difference[]): readonly Difference[] {
  return found.map((each) => ({ ...each, at: each.at === '' || each.at.startsWith('[') ? `${place}${each.at}` : `${place}.${each.at}` }));
}

function nameOf({ chosen }: Variant): string {
  return chosen
    .map((option) => referenceOf(option) ?? titleOf(option) ?? '')
    .join(' ')
    .trim();
}

function labelOf({ chosen }: Variant): string {
  const labels = chosen.map((option) => {
    const text = JSON.stringify(option);
    return referenceOf(option) ?? (text.length > 60 ? `${text.slice(0, 60)}...` : text);
  });
  return labels.length === 0 ? 'the plain one' : [...new Set(labels)].join(' with ');
}

function referenceOf(option: Json): string | undefined {
  return isJsonObject(option) ? lastOf(option['$ref']) : undefined;
}

function titleOf(option: Json): string | undefined {
  return isJsonObject(option) && typeof option['title'] === 'string' ? option['title'] : undefined;
}
