import type { Json, JsonObject } from '../../digest/json.ts';
import type { ApiChange } from './api-change.ts';
import { listOf, objectOf, resolve } from './document-parts.ts';
import type { Operation } from './operation.ts';
import { type Comparisons, requestChanges } from './schema-change.ts';

interface Parameter {
  readonly label: string;
  readonly name: string;
  readonly place: string;
  readonly isRequired: boolean;
  readonly isDeprecated: boolean;
  readonly schema: Json | undefined;
  /** How it is written, in words; a value that is neither list nor object is written in one way only. */
  readonly writing: string;
}

/** Headers that OpenAPI tells to be passed over, as they follow from other parts of a description. */
const impliedHeaders = new Set(['accept', 'content-type', 'authorization']);

export function compareParameters(before: Operation, after: Operation, comparisons: Comparisons): readonly ApiChange[] {
  const changes: ApiChange[] = [];
  const [old, now] = [parametersOf(before), parametersOf(after)];
  for (const [key, parameter] of now) {
    const earlier = old.get(key);
    const path = `${before.name} ${parameter.label}`;
    if (!earlier) {
      const what = parameter.isRequired ? 'a new required parameter' : 'a new optional parameter';
      changes.push({ path, breaking: parameter.isRequired, what });
      continue;
    }
    if (parameter.isRequired && !earlier.isRequired) changes.push({ path, breaking: true, what: 'the parameter is now required' });
    if (!parameter.isRequired && earlier.isRequired) changes.push({ path, breaking: false, what: 'the parameter is no longer required' });
    if (parameter.writing !== earlier.writing) {
      changes.push({ path, breaking: true, what: `it is written otherwise: ${earlier.writing} to ${parameter.writing}` });
    }
    const isText = !parameter.writing.includes('/');
    changes.push(...requestChanges(path, [earlier.schema, parameter.schema], comparisons, isText));
  }
  for (const [key, parameter] of old) if (!now.has(key)) changes.push(...removal(before.name, parameter, [...now.values()]));
  return changes;
}

function removal(operation: string, { label, name, place, isDeprecated }: Parameter, now: readonly Parameter[]): ApiChange[] {
  if (place === 'header' && impliedHeaders.has(name.toLowerCase())) return [];
  const path = `${operation} ${label}`;
  const moved = now.find((other) => other.name.toLowerCase() === name.toLowerCase());
  if (moved) return [{ path, breaking: true, what: `the parameter is no longer looked at here: it moves to the ${moved.place}` }];
  // Whoever still sends it gets an answer that does not heed it.
  return [{ path, breaking: !isDeprecated, what: 'the parameter is removed: it is no longer looked at' }];
}

export function parametersOf({ path, operation, item, document }: Operation): ReadonlyMap<string, Parameter> {
  const parameters = new Map<string, Parameter>();
  const places = [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name);
  const declared = [...listOf(item['parameters']), ...listOf(operation['parameters'])].map((value) => objectOf(resolve(value, document)));
  const unnamed = places.flatMap((name, index) => (declared.some((each) => each['in'] === 'path' && each['name'] === name) ? [] : [index]));
  for (const parameter of declared) {
    const { name, in: place } = parameter;
    if (typeof name !== 'string' || typeof place !== 'string') continue;
    // In a path the place counts, not the name.
    const index = place === 'path' && !places.includes(name) ? unnamed.shift() : places.indexOf(name);
    if (index === undefined) continue;
    const key = place === 'path' ? `path ${index}` : `${place} ${place === 'header' ? name.toLowerCase() : name}`;
    const [media] = Object.entries(objectOf(parameter['content']));
    const schema = parameter['schema'] ?? (media && objectOf(media[1])['schema']);
    parameters.set(key, {
      label: `${place} parameter ${name}`,
      name,
      place,
      isRequired: parameter['required'] === true || place === 'path',
      isDeprecated: parameter['deprecated'] === true,
      schema,
      writing: media === undefined ? styleOf(parameter, place, schema, document) : media[0],
    });
  }
  return parameters;
}

function styleOf(parameter: JsonObject, place: string, schema: Json | undefined, document: JsonObject): string {
  const { type } = objectOf(resolve(schema, document));
  const isPlain = typeof type === 'string' && type !== 'array' && type !== 'object';
  const standard = place === 'query' || place === 'cookie' ? 'form' : 'simple';
  const style = typeof parameter['style'] === 'string' ? parameter['style'] : standard;
  const isExploded = typeof parameter['explode'] === 'boolean' ? parameter['explode'] : style === 'form';
  if (isPlain && (style === 'form' || style === 'simple')) return 'plain';
  return isExploded ? `${style}, exploded` : style;
}
