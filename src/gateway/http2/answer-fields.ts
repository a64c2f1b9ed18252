import type { OutgoingHttpHeaders } from 'node:http2';
import type { RawHeaders } from '../http/downstream.ts';

const connectionSpecific = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
]);
/** Fields of an answer that may come several times without being one list in one line. */
const repeatable = new Set(['set-cookie', 'www-authenticate', 'proxy-authenticate', 'link', 'vary', 'via', 'warning', 'server-timing']);

/**
 * Fields as node:http2 takes them: names in lower case, values of one name together, none that belong to an HTTP/1.1 connection.
 * `repeats: first` keeps one value of what is no list: the library refuses a repeated Content-Type and the like.
 */
export function answerFields(raw: RawHeaders, repeats: 'all' | 'first'): OutgoingHttpHeaders {
  const fields = Object.create(null) as Record<string, string | string[]>;
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase();
    const value = raw[index + 1] as string;
    if (connectionSpecific.has(name) || name.startsWith(':')) continue;
    const known = fields[name];
    if (known === undefined) fields[name] = value;
    else if (repeats === 'first' && !repeatable.has(name)) continue;
    else if (typeof known === 'string') fields[name] = [known, value];
    else known.push(value);
  }
  return fields;
}
