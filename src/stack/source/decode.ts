import { type Problem, problem } from '../../errors/sluice-error.ts';
import { createSourceText, type SourceText } from './node.ts';

// eslint-disable-next-line no-control-regex
const controlCharacter = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/** The text of a file, or what keeps it from being text: bytes that are no UTF-8, control characters. A byte order mark is dropped. */
export function decodeText(file: string, bytes: Uint8Array): SourceText | Problem {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const byte = firstInvalidByte(bytes);
    const before = new TextDecoder('utf-8').decode(bytes.subarray(0, byte));
    return problem('text_not_utf8', { byte: byte + 1 }, { position: createSourceText(file, before).positionAt(before.length) });
  }
  return checkText(createSourceText(file, text));
}

/** The same text, or the first control character in it. */
export function checkText(source: SourceText): SourceText | Problem {
  const found = controlCharacter.exec(source.text);
  if (!found) return source;
  const code = source.text.charCodeAt(found.index).toString(16).toUpperCase().padStart(4, '0');
  return problem('text_not_printable', { character: `U+${code}` }, { position: source.positionAt(found.index) });
}

/** Index of the first byte after which no valid UTF-8 can follow, by halving: a prefix of valid text stays valid. */
function firstInvalidByte(bytes: Uint8Array): number {
  let valid = 0;
  let invalid = bytes.length;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    try {
      // As a stream, because the prefix may end inside a character.
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      valid = middle;
    } catch {
      invalid = middle;
    }
  }
  return startOfCharacter(bytes, valid);
}

/** Where the unfinished character before `end` starts; `end` when there is none. */
function startOfCharacter(bytes: Uint8Array, end: number): number {
  for (let at = end - 1; at >= Math.max(0, end - 3); at -= 1) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x80) return end;
    if (byte < 0xc0) continue;
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return at + length > end ? at : end;
  }
  return end;
}
