import fc from 'fast-check';

/** Pieces that servers have been known to read differently, beside sound ones. */
const requestLines = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('GET / HTTP/1.1', 'POST /a?b=c HTTP/1.1', 'PUT /x HTTP/1.1', 'DELETE /%41 HTTP/1.1', 'HEAD / HTTP/1.1'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'GET  / HTTP/1.1',
      'GET / HTTP/1.0',
      'POST / HTTP/1.0',
      'GET /  HTTP/1.1',
      'get / HTTP/1.1',
      'GET / HTTP/1.1 ',
      'GET /a b HTTP/1.1',
      'QUERY / HTTP/1.1',
      'GET http://h/ HTTP/1.1',
      'GET / HTTP/2.0',
      'GET / HTTP/1.11',
      'GET /\x7f HTTP/1.1',
      'GET /\xe9 HTTP/1.1',
      'GET /#f HTTP/1.1',
      'GET\t/ HTTP/1.1',
      'GET / http/1.1',
      'OPTIONS * HTTP/1.1',
      'GET /"<>^`{|} HTTP/1.1',
      'GET /\\ HTTP/1.1',
      'SOURCE / HTTP/1.1',
      'PRI * HTTP/2.0',
    ),
  },
);

const fieldLine = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      'X-A: b',
      'Accept: */*',
      'X-Empty:',
      'X-Tab:\tv\t',
      'Connection: keep-alive',
      'Cookie: a=b; c=d',
      'X-High: \xe9\xff',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'Content-Length: 3',
      'Content-Length: 0',
      'Transfer-Encoding: chunked',
      'Connection: close',
      'Expect: 100-continue',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'Content-Length: +3',
      'Content-Length: 3, 3',
      'Content-Length: 0x3',
      'Content-Length: 3 ',
      'Content-Length: 03',
      'Content-Length:',
      'Content-Length : 3',
      'content-length: 4',
      'Transfer-Encoding: gzip, chunked',
      'Transfer-Encoding: chunked, gzip',
      'Transfer-Encoding: xchunked',
      'Transfer-Encoding: Chunked',
      'Transfer-Encoding:\x0bchunked',
      'Transfer-Encoding : chunked',
      'Transfer-Encoding: chunked;a=b',
      'Transfer-Encoding: identity',
      'Host: other',
      ' folded',
      '\tfolded',
      'no colon',
      ': nameless',
      'X A: b',
      'X-\x00: b',
      'X-Nul: a\0b',
      'X-Cr: a\rb',
      'X-Lf: a\nb',
      'X-Del: \x7f',
      'X\xe9: b',
      'X(: b',
      'X_U: v',
      'Upgrade: websocket',
      'Connection: upgrade',
      'Trailer: X-T',
      'Content-Length: 99999999999999999999',
    ),
  },
);

const lineEnd = fc.oneof(
  { weight: 40, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\n\r', '\r\r\n', ' \r\n') },
);

const chunkLine = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('3', '03', '0003', '3;a=b', '3;a', '3;a="q;\\"s"') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '0x3',
      '+3',
      '-3',
      ' 3',
      '3 ',
      '3 ;a',
      '3; a',
      '3;a= b',
      '3;',
      '3;;',
      '3;a=',
      '3;a="',
      '3;a="\x01"',
      '3;a\n=b',
      '',
      'g',
      '3\t',
      'fffffffffffffffff',
      '10000000000000003',
      '3,3',
      '3.0',
      '3;\xe9=1',
      '3;a=\xe9',
    ),
  },
);

const trailerLine = fc.constantFrom('X-T: 1', 'Content-Length: 5', 'Transfer-Encoding: chunked', 'X-T : 1', ' x', 'bad', 'X-T:\x01');

const chunkedBody = fc
  .tuple(
    fc.array(fc.tuple(chunkLine, lineEnd, fc.constantFrom('abc', 'ab', 'abcd'), lineEnd), { maxLength: 3 }),
    lineEnd,
    fc.array(fc.tuple(trailerLine, lineEnd), { maxLength: 2 }),
    lineEnd,
  )
  .map(([chunks, last, trailers, end]) => `${chunks.flat().join('')}0${last}${trailers.flat().join('')}${end}`);

const soundChunks = fc.constantFrom('3\r\nabc\r\n0\r\n\r\n', '0\r\n\r\n', '3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n');
const body = fc.oneof(fc.constantFrom('', 'abc', 'abcGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n'), chunkedBody, soundChunks);

function message(lines: fc.Arbitrary<string>, always: string): fc.Arbitrary<string> {
  return fc
    .tuple(lines, lineEnd, fc.array(fc.tuple(fieldLine, lineEnd), { maxLength: 4 }), lineEnd, body)
    .map(([first, end, fields, last, content]) => `${first}${end}${always}${fields.flat().join('')}${last}${content}`);
}

/** Sound messages of the kinds that frame differently, which the mutations then break. */
const soundRequest = fc.constantFrom(
  'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc',
  'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
  'GET /a?b HTTP/1.1\r\nHost: h\r\nX-A: b c\t\r\n\r\n',
);
const soundAnswer = fc.constantFrom(
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
  'HTTP/1.1 404 Not Found\r\nX-A: b c\t\r\nConnection: close\r\n\r\nabc',
);

/** A byte is replaced, put in or left out at a few places. */
function mutated(sound: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const byte = fc.oneof(
    fc.constantFrom('\r', '\n', '\0', ' ', '\t', ':', ';', ',', '0', 'f', '\x7f', '\x80', '\x0b', '"'),
    fc.nat(255).map((code) => String.fromCharCode(code)),
  );
  const change = fc.record({ at: fc.nat(1_000), how: fc.constantFrom('replace', 'insert', 'remove'), byte });
  return fc.tuple(sound, fc.array(change, { minLength: 1, maxLength: 3 })).map(([text, changes]) => {
    let result = text;
    for (const { at, how, byte: given } of changes) {
      const place = at % (result.length + 1);
      result = result.slice(0, place) + (how === 'remove' ? '' : given) + result.slice(how === 'insert' ? place : place + 1);
    }
    return result;
  });
}

export const requests: fc.Arbitrary<string> = fc
  .array(fc.oneof(message(requestLines, 'Host: h\r\n'), mutated(soundRequest), soundRequest), { minLength: 1, maxLength: 3 })
  .map((all) => all.join(''));

const statusLines = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('HTTP/1.1 200 OK', 'HTTP/1.1 204 No Content', 'HTTP/1.1 304 Not Modified', 'HTTP/1.1 500 ') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'HTTP/1.0 200 OK',
      'HTTP/1.1 200',
      'HTTP/1.1  200 OK',
      'HTTP/1.1 20 OK',
      'HTTP/1.1 2000 OK',
      'HTTP/2.0 200 OK',
      'HTTP/1.2 200 OK',
      'http/1.1 200 OK',
      'HTTP/1.1 200 \x00',
      'HTTP/1.1 2x0 OK',
      'HTTP/1.1 099 Low',
      'HTTP/1.1 999 High',
      'HTTP/1.1 103 Early Hints',
    ),
  },
);

export const answers: fc.Arbitrary<string> = fc.oneof(message(statusLines, ''), mutated(soundAnswer), soundAnswer);

/** The same bytes in pieces. */
export function inPieces(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((left, right) => left - right);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length)).filter((piece) => piece.length > 0);
}
