import type { JsonObject } from '../../digest/json.ts';
import type { ApiChange } from './api-change.ts';
import { compareRequestBodies, compareResponses } from './bodies.ts';
import { compareWebhooks, createCallbackComparison } from './callbacks.ts';
import { createLinkComparison } from './links.ts';
import { operationsOf } from './operation.ts';
import { compareParameters } from './parameters.ts';
import type { Comparisons } from './schema-change.ts';
import { createSchemaComparison } from './schema-difference.ts';
import { createSchemaReader } from './schema-reader.ts';
import { compareSecurity } from './security.ts';
import { createSentComparison } from './sent-request.ts';
import { compareOwnServers, compareServers } from './servers.ts';

/** All changes from one OpenAPI description (3.0 or 3.1) to another, breaking ones first. Pure; references to other files are not followed. */
export function compareApis(before: JsonObject, after: JsonObject): readonly ApiChange[] {
  const changes: ApiChange[] = [];
  const [old, now] = [operationsOf(before), operationsOf(after)];
  const comparisons = createComparisons(before, after);
  const sent = createSentComparison(comparisons);
  const [compareLinks, compareCallbacks] = [createLinkComparison(before, after), createCallbackComparison(sent)];
  changes.push(...compareServers(before, after), ...compareWebhooks(before, after, sent));
  for (const [key, operation] of old) {
    const counterpart = now.get(key);
    if (counterpart === undefined) {
      changes.push({ path: operation.name, breaking: true, what: 'the operation is removed' });
      continue;
    }
    changes.push(
      ...compareParameters(operation, counterpart, comparisons),
      ...compareRequestBodies(operation, counterpart, comparisons),
      ...compareResponses(operation, counterpart, comparisons),
      ...compareSecurity(operation, counterpart),
      ...compareOwnServers(operation, counterpart),
      ...compareLinks(operation, counterpart),
      ...compareCallbacks(operation, counterpart),
    );
  }
  for (const [key, { name }] of now) if (!old.has(key)) changes.push({ path: name, breaking: false, what: 'a new operation' });
  return changes.toSorted((one, other) => Number(other.breaking) - Number(one.breaking));
}

function createComparisons(before: JsonObject, after: JsonObject): Comparisons {
  const [old, now] = [createSchemaReader(before), createSchemaReader(after)];
  const progress = { pairs: 0, depth: 0 };
  return { forth: createSchemaComparison(old, now, progress), back: createSchemaComparison(now, old, progress) };
}
