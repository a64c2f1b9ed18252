import { kind, type FieldKind } from './field-kinds.ts';

/**
 * The fields by which the end of a message is found (RFC 9112 section 6). Gathered one by one; a repeated one, or one that two readers
 * could read differently, is a fault.
 */
export interface Framing {
  /** Bytes; -1 when there is no Content-Length. */
  contentLength: number;
  transferEncoding: string | undefined;
  fault: string | undefined;
}

const decimal = /^\d{1,15}$/;

export function noFraming(): Framing {
  return { contentLength: -1, transferEncoding: undefined, fault: undefined };
}

const tabbed = /^transfer-encoding:[^\r]*\t/im;

/**
 * To be called when all fields of `lines`, the field lines, are gathered. A tab around `chunked` is white space like any other (RFC 9110
 * section 5.6.3), but Node's own parser takes it for a part of the name and finds another end of the body.
 */
export function settleFraming(framing: Framing, lines: string): void {
  if (framing.transferEncoding !== undefined && tabbed.test(lines)) framing.fault ??= 'a tab in the Transfer-Encoding header';
}

export function gather(framing: Framing, found: FieldKind, value: string): void {
  if (found === kind.contentLength) {
    if (framing.contentLength !== -1) framing.fault ??= 'more than one Content-Length header';
    else if (!decimal.test(value)) framing.fault ??= 'the Content-Length is not a number';
    else framing.contentLength = Number(value);
  } else {
    if (framing.transferEncoding !== undefined) framing.fault ??= 'more than one Transfer-Encoding header';
    framing.transferEncoding = value;
  }
  if (framing.contentLength !== -1 && framing.transferEncoding !== undefined) {
    framing.fault ??= 'both Content-Length and Transfer-Encoding';
  }
}
