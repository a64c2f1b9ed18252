import { parseDurationMs } from '../../stack/fields/duration.ts';
import type { ServiceFields } from '../../stack/kinds/service.ts';
import type { Ask, SourceSettings } from './source.ts';

type Declared = NonNullable<ServiceFields['rollout']['analysis']>['metrics'][number];

/** A declared source as the rollout takes it. The schema has seen to it that exactly one way of asking is declared. */
export function sourceSettings(declared: Declared): SourceSettings {
  const { name, at_most: most, at_least: least, failures, errors } = declared;
  return {
    name,
    ask: askOf(declared),
    ...(most !== undefined && { atMost: most }),
    ...(least !== undefined && { atLeast: least }),
    intervalMs: parseDurationMs(declared.interval),
    timeoutMs: parseDurationMs(declared.timeout),
    failures,
    errors,
  };
}

function askOf({ prometheus, http, command = [] }: Declared): Ask {
  if (prometheus) {
    const { url, query, authorization } = prometheus;
    return { type: 'prometheus', url, query, ...(authorization !== undefined && { authorization }) };
  }
  if (!http) return { type: 'command', command };
  const { url, value, authorization } = http;
  return { type: 'http', url, ...(value !== undefined && { pointer: value }), ...(authorization !== undefined && { authorization }) };
}
