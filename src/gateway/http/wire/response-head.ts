import { fieldKind, kind } from './field-kinds.ts';
import { parseFields } from './fields.ts';
import { gather, noFraming, settleFraming } from './framing.ts';

/** An instance's answer, or an interim one (1xx), up to its body. */
export interface ResponseHead {
  readonly text: string;
  /** Of the request it answers. */
  readonly method: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
  /** How the end of the body is found. `none`: there is no body, whatever the header says. */
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** Bytes; -1 when there is no Content-Length. */
  readonly contentLength: number;
  readonly connection: string | undefined;
  /** The instance may be asked again on this connection once the answer is whole. */
  readonly isPersistent: boolean;
  /** Seconds after which the instance closes the connection when it is idle, if it said so. */
  readonly keepAliveSeconds: number | undefined;
  /** What has been computed from all this, for the next answer that is the same by the letter; for whoever computes it. */
  readonly memo: { passed?: unknown };
}

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n/;

/**
 * Reads an answer's header (RFC 9112 sections 4 to 6); undefined when it is not one, or when its end could be read differently by two
 * readers. `text`: latin1, from the status line to the CRLF of the last field line. `method`: of the request it answers. `known`: an earlier
 * result; an instance that is busy often says the same within one second, and comparing it is a tenth of the work.
 */
export function parseResponseHead(text: string, method: string, atMost: number, known?: ResponseHead): ResponseHead | undefined {
  if (known !== undefined && known.text === text && known.method === method) return known;
  const line = statusLine.exec(text);
  if (line === null) return undefined;
  const status = Number(line[2]);
  const minorVersion = line[1] === '1' ? 1 : 0;
  const headers = parseFields(text, line[0].length, atMost);
  if (typeof headers === 'string') return undefined;
  const framing = noFraming();
  let connection: string | undefined;
  let keepAliveSeconds: number | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    const found = fieldKind(headers[index] as string);
    if (found === kind.plain) continue;
    const value = headers[index + 1] as string;
    if (found === kind.contentLength || found === kind.transferEncoding) gather(framing, found, value);
    else if (found === kind.connection) connection = connection === undefined ? value : `${connection},${value}`;
    else if (found === kind.keepAlive) keepAliveSeconds = timeoutOf(value);
  }
  settleFraming(framing, text);
  if (framing.fault !== undefined) return undefined;
  const coding = framing.transferEncoding;
  if (coding !== undefined && (minorVersion === 0 || coding.toLowerCase() !== 'chunked')) return undefined;
  const isBodiless = status < 200 || status === 204 || status === 304 || method === 'HEAD';
  const body = isBodiless ? 'none' : coding !== undefined ? 'chunked' : framing.contentLength >= 0 ? 'length' : 'close';
  return {
    text,
    method,
    status,
    reason: line[3] ?? '',
    headers,
    framing: body,
    contentLength: framing.contentLength,
    connection,
    isPersistent: body !== 'close' && isKept(connection, minorVersion),
    keepAliveSeconds,
    memo: {},
  };
}

/** Whether a connection outlives its message, by the Connection header and the minor version (RFC 9112 section 9.3). */
export function isKept(connection: string | undefined, minorVersion: number): boolean {
  if (connection === undefined) return minorVersion === 1;
  if (connection === 'keep-alive') return true;
  const options = connection.toLowerCase().split(',');
  let isKeptAlive = minorVersion === 1;
  for (const option of options) {
    const name = option.trim();
    if (name === 'close') return false;
    if (name === 'keep-alive') isKeptAlive = true;
  }
  return isKeptAlive;
}

function timeoutOf(keepAlive: string): number | undefined {
  const found = /(?:^|[,;\s])timeout=(\d{1,6})(?:$|[,;\s])/i.exec(keepAlive);
  return found === null ? undefined : Number(found[1]);
}
