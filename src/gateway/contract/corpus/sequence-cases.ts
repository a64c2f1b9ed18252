import { accepted, chunked, type CorpusCase, get, post, refused, smuggled } from './corpus-case.ts';

const first = get('').replace('/{id}', '/{id}/1');
const last = get('Connection: close\r\n').replace('/{id}', '/{id}/2');
const body = (length: number): string => 'b'.repeat(length);

const wholeWithLength = post('Content-Length: 12\r\nX-A: b\r\n', 'hello, world');
const wholeChunked = post('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n3;a=b\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n');

function cutAt(name: string, whole: string): readonly CorpusCase[] {
  return Array.from({ length: whole.length - 1 }, (_, at) => at + 1)
    .filter((at) => at % 2 === 1 || at > whole.indexOf('\r\n\r\n'))
    .map((at) => ({ name: `${name} that ends after ${at} bytes`, bytes: whole.slice(0, at), fate: 'dropped', endsEarly: true }));
}

/** Answers of the gateway are counted: what is refused after good requests adds one. */
export const sequenceCases: readonly CorpusCase[] = [
  accepted('two requests at once', first + last, 'GET /{id}/1 ', 'GET /{id}/2 '),
  accepted('twenty requests at once', first.repeat(20) + last, ...Array<string>(20).fill('GET /{id}/1 '), 'GET /{id}/2 '),
  accepted('a request after one with a body', post('Content-Length: 3\r\n', 'abc') + last, 'POST /{id} abc', 'GET /{id}/2 '),
  accepted(
    'a request after a chunked one',
    post('Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n') + last,
    'POST /{id} abc',
    'GET /{id}/2 ',
  ),
  accepted('a request after one with an empty body', post('Content-Length: 0\r\n') + last, 'POST /{id} ', 'GET /{id}/2 '),
  accepted('empty lines between requests', `${first}\r\n\r\n${last}`, 'GET /{id}/1 ', 'GET /{id}/2 '),
  accepted('nothing after close is read', last + smuggled, 'GET /{id}/2 '),
  accepted('nothing after close in a list is read', get('Connection: x, close\r\n') + smuggled, 'GET /{id} '),
  accepted('nothing after HTTP/1.0 is read', `GET /{id} HTTP/1.0\r\nHost: app.test\r\n\r\n${smuggled}`, 'GET /{id} '),
  {
    name: 'the preface of HTTP/2 after an offer of it that is ignored',
    bytes: `${get('Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n')}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${smuggled}`,
    fate: 'accepted',
    forwarded: ['GET /{id} '],
    endsRefused: true,
  },
  {
    name: 'garbage after good requests',
    bytes: `${first}${first}garbage\r\n\r\n${smuggled}`,
    fate: 'accepted',
    forwarded: ['GET /{id}/1 ', 'GET /{id}/1 '],
    endsRefused: true,
  },
  {
    name: 'a smuggled request after a body that is longer than its length',
    bytes: `${post('Content-Length: 2\r\n', 'ab')}x${smuggled}`,
    fate: 'accepted',
    forwarded: ['POST /{id} ab'],
    endsRefused: true,
  },
  accepted('nothing after an upgrade to TLS is read', get('Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n') + smuggled, 'GET /{id} '),
  accepted(
    'nothing after an unanswered Expect is read',
    post('Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n', 'abc') + smuggled,
    'POST /{id} abc',
  ),
  accepted('a large body', post('Content-Length: 300000\r\nConnection: close\r\n', body(300_000)), `POST /{id} ${body(300_000)}`),
  accepted('a large chunk', chunked(`493e0\r\n${body(300_000)}\r\n0\r\n\r\n`), `POST /{id} ${body(300_000)}`),
  refused('a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  refused('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00'),
  refused('SOCKS', '\x05\x01\x00'),
  refused('PROXY protocol before a request', `PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n${last}`),
  refused('PROXY protocol 2 before a request', `\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c${'\x00'.repeat(12)}${last}`),
  refused('an answer in place of a request', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
  refused('SMTP', 'EHLO app.test\r\nMAIL FROM:<a@b>\r\n\r\n'),
  refused('Redis', '*1\r\n$4\r\nPING\r\n\r\n'),
  refused('NULs', '\x00'.repeat(1_000)),
  refused('high bytes', '\xff'.repeat(1_000)),
  ...cutAt('a request with a length', wholeWithLength),
  ...cutAt('a chunked request', wholeChunked),
];
