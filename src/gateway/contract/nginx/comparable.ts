import { ChunkedDecoder } from '../../http/wire/chunked.ts';

/** Fields only Sluice adds: of where a request comes from and of traces. nginx adds them when told to. */
const sluicesOwn = new Set(['x-request-id', 'traceparent', 'forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host']);
/** Of one connection only, so each says its own. */
const ofTheConnection = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/**
 * A request as an instance received it: fields sorted (their order may differ between names, not within one), names in lower case. nginx
 * gives a chunked body that came in one piece a length, so only whether there is a body is compared, beside its bytes.
 */
export function requestSeen({ head, body }: { readonly head: string; readonly body: string }): string {
  const [line = '', ...fields] = head.trimEnd().split('\r\n');
  const framing = new Set(['content-length', 'transfer-encoding']);
  const hasBody = fields.some((field) => framing.has(field.slice(0, field.indexOf(':')).toLowerCase()));
  const kept = comparable(fields, new Set([...sluicesOwn, ...framing, 'connection']));
  return [line, ...kept, hasBody ? 'with a body' : 'without a body', '', body].join('\n');
}

/** An answer as the client got it: what both must agree in. Of their own refusals only the class. */
export function answerSeen(answer: string, isHead: boolean): string {
  const end = answer.indexOf('\r\n\r\n');
  const [line = '', ...fields] = answer.slice(0, end).split('\r\n');
  const status = Number(line.slice(9, 12));
  const isOwn = fields.some((field) => /^server: nginx/i.test(field)) || answer.includes('"code":"gateway_');
  if (isOwn) return `refused with ${Math.floor(status / 100)}xx`;
  const isChunked = fields.some((field) => /^transfer-encoding: chunked$/i.test(field));
  const length = fields.map((field) => /^content-length: (\d+)$/i.exec(field)?.[1]).find((found) => found !== undefined);
  const body = answer.slice(end + 4);
  const whole = isHead
    ? { body, isWhole: true }
    : isChunked
      ? decoded(body)
      : { body, isWhole: length === undefined || body.length === Number(length) };
  return [
    line,
    ...comparable(fields, new Set([...sluicesOwn, ...ofTheConnection])),
    '',
    `${whole.isWhole ? 'whole' : 'cut'}: ${whole.body}`,
  ].join('\n');
}

function comparable(fields: readonly string[], without: ReadonlySet<string>): readonly string[] {
  return fields
    .map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
    })
    .filter(([name, value]) => !without.has(name) && !(name === 'date' && !value.includes('1994')))
    .toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
    .map(([name, value]) => `${name}: ${value}`);
}

function decoded(text: string): { readonly body: string; readonly isWhole: boolean } {
  const decoder = new ChunkedDecoder({ headerBytes: 65_536, headerCount: 100 });
  decoder.feed(Buffer.from(text, 'latin1'));
  let body = '';
  for (;;) {
    const step = decoder.next();
    if (step === 'data') body += decoder.chunk.toString('latin1');
    else return { body, isWhole: step === 'done' };
  }
}
