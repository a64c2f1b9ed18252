import { getOutbound } from '../../effects/outbound.ts';
import { type Ask, heldTo, type Measured, type SourceSettings } from './source.ts';

const mostBytes = 1_048_576;

/** One GET: its status, or a number of its JSON, is the measurement. Throws an Error whose message may be shown. */
export async function askHttp(
  { url, pointer, authorization }: Extract<Ask, { type: 'http' }>,
  { timeoutMs, ...bounds }: Pick<SourceSettings, 'timeoutMs' | 'atMost' | 'atLeast'>,
  signal?: AbortSignal,
): Promise<Measured> {
  const headers: Readonly<Record<string, string>> = authorization === undefined ? {} : { authorization };
  const { status, body } = await getOutbound({ url: new URL(url), headers, timeoutMs, mostBytes, signal });
  if (status >= 300 && status < 400) throw new Error(`it answered with a redirect (${status}), which is not followed`);
  const isFine = status >= 200 && status < 300;
  if (pointer === undefined) return { outcome: isFine ? 'pass' : 'fail', said: `status ${status}` };
  if (!isFine) throw new Error(`it answered with status ${status}`);
  const value = valueAt(documentOf(body), pointer);
  if (value === undefined || value === null) return { outcome: 'no_data', said: `there is nothing at ${pointer}` };
  if (typeof value !== 'number') throw new Error(`what is at ${pointer} is no number`);
  return heldTo(value, bounds);
}

function documentOf(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    throw new Error('its answer is no JSON');
  }
}

/** What a JSON pointer (RFC 6901) leads to; undefined for what is not there. Only own members: nothing is inherited from a prototype. */
export function valueAt(document: unknown, pointer: string): unknown {
  let here = document;
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Readonly<Record<string, unknown>>)[key];
  }
  return here;
}
