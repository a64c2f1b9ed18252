/** A request and the answer the instance gives, and in what Sluice means to differ from nginx, if it does. */
export interface ExchangeCase {
  readonly name: string;
  /** Latin1. */
  readonly request: string;
  /** Undefined: a plain `ok`. */
  readonly answer?: string;
  /** The instance ends its connection after the answer. */
  readonly end?: boolean;
  /** Why they differ here, and what Sluice answers. */
  readonly differs?: { readonly why: string; readonly status: number };
}

const get = (fields = '', target = '/x'): string => `GET ${target} HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n${fields}\r\n`;
const post = (fields: string, body: string): string => `POST /x HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n${fields}\r\n${body}`;
const answer = (head: string, body = ''): string => `HTTP/1.1 ${head}\r\n\r\n${body}`;
const refuses = (why: string) => ({ why, status: 400 });
const distrusts = (why: string) => ({ why, status: 502 });
const strict = refuses('Sluice refuses what two readers could read differently');

const requests: readonly ExchangeCase[] = [
  { name: 'a plain GET', request: get() },
  { name: 'HTTP/1.0', request: 'GET /x HTTP/1.0\r\nHost: app.test\r\n\r\n' },
  { name: 'HEAD', request: get().replace('GET', 'HEAD'), answer: answer('200 OK\r\nContent-Length: 5') },
  { name: 'DELETE', request: get().replace('GET', 'DELETE') },
  { name: 'OPTIONS', request: get().replace('GET', 'OPTIONS') },
  { name: 'PATCH with a length', request: post('Content-Length: 3\r\n', 'abc').replace('POST', 'PATCH') },
  { name: 'PUT with a length', request: post('Content-Length: 3\r\n', 'abc').replace('POST', 'PUT') },
  { name: 'POST with a length', request: post('Content-Length: 5\r\n', 'hello') },
  { name: 'POST with an empty body', request: post('Content-Length: 0\r\n', '') },
  { name: 'POST in chunks', request: post('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n6\r\n, worl\r\n1\r\nd\r\n0\r\n\r\n') },
  { name: 'POST in chunks with extensions', request: post('Transfer-Encoding: chunked\r\n', '5;a=b\r\nhello\r\n0\r\n\r\n') },
  { name: 'POST in no chunks', request: post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n') },
  { name: 'GET with a body', request: get('Content-Length: 3\r\n').concat('abc') },
  { name: 'a large body', request: post('Content-Length: 200000\r\n', 'b'.repeat(200_000)) },
  { name: 'a query', request: get('', '/x?a=b&c=%20d?e=/../f') },
  { name: 'an encoded path', request: get('', '/a%20b/%C3%A4') },
  { name: 'double slashes', request: get('', '//x//y') },
  { name: 'odd characters in the path', request: get('', "/x/~!$&'()*+,;=:@|^`{}") },
  { name: 'a path that ends with dots', request: get('', '/x/a..') },
  { name: 'an absolute target', request: get('', 'http://app.test/x?y=z') },
  { name: 'a host with a port', request: get().replace('app.test', 'app.test:8080') },
  { name: 'a host in capitals', request: get().replace('app.test', 'APP.Test') },
  { name: 'repeated fields', request: get('X-A: 1\r\nX-B: 2\r\nX-A: 3\r\n') },
  { name: 'cookies on several lines', request: get('Cookie: a=1\r\nCookie: b=2\r\n') },
  { name: 'an empty value', request: get('X-A:\r\n') },
  { name: 'white space around a value', request: get('X-A: \t b c \t\r\n') },
  { name: 'high bytes in a value', request: get('X-A: \xe4\xff\r\n') },
  { name: 'underscores in a name', request: get('X_A: b\r\n') },
  { name: 'fields for one connection only', request: get('Keep-Alive: timeout=5\r\nTE: gzip\r\n') },
  { name: 'an upgrade nobody knows', request: get('Upgrade: unknown\r\n') },
  { name: 'conditions and ranges', request: get('If-None-Match: "a"\r\nIf-Modified-Since: x\r\nRange: bytes=0-1\r\n') },
  { name: 'authorization', request: get('Authorization: Bearer abc\r\n') },
  { name: 'many fields', request: get(Array.from({ length: 90 }, (_, index) => `X-${index}: ${index}\r\n`).join('')) },
  { name: 'a field of 8 KB', request: get(`X-A: ${'a'.repeat(8_000)}\r\n`) },
  { name: 'an empty line before the request', request: `\r\n${get()}` },
  { name: 'no host', request: 'GET /x HTTP/1.1\r\nConnection: close\r\n\r\n' },
  { name: 'two hosts', request: get('Host: app.test\r\n') },
  { name: 'both a length and chunks', request: post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n') },
  { name: 'two lengths', request: post('Content-Length: 2\r\nContent-Length: 2\r\n', 'ab') },
  { name: 'a length that is none', request: post('Content-Length: x\r\n', 'ab') },
  { name: 'an unknown coding', request: post('Transfer-Encoding: gzip\r\n', 'ab') },
  { name: 'chunks that are none', request: post('Transfer-Encoding: chunked\r\n', 'zz\r\nab\r\n0\r\n\r\n') },
  { name: 'no version', request: 'GET /x HTTP\r\nHost: app.test\r\n\r\n' },
  { name: 'a NUL in a value', request: get('X-A: \0\r\n') },
  { name: 'bare line feeds', request: get().replaceAll('\r\n', '\n'), differs: strict },
  { name: 'a space before a colon', request: get('X-A : b\r\n'), differs: refuses('Sluice refuses it, nginx leaves the field out') },
  { name: 'a folded field', request: get('X-A: a\r\n b\r\n'), differs: refuses('Sluice refuses it, nginx leaves the rest out') },
  { name: 'a name of odd bytes', request: get('X\xe4: b\r\n'), differs: refuses('Sluice refuses it, nginx leaves the field out') },
  {
    name: 'dot segments',
    request: get('', '/x/../y'),
    differs: refuses('Sluice refuses a path that could leave the prefix that was matched'),
  },
  { name: 'an unknown method', request: get().replace('GET', 'FETCH'), differs: strict },
  { name: 'a tab in a target', request: get('', '/x\ty'), differs: strict },
  { name: 'a fragment in a target', request: get('', '/x#y'), differs: strict },
];

const answers: readonly ExchangeCase[] = [
  { name: 'an answer with a length', request: get(), answer: answer('200 OK\r\nContent-Length: 5', 'hello') },
  {
    name: 'an answer in chunks',
    request: get(),
    answer: answer('200 OK\r\nTransfer-Encoding: chunked', '5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n'),
  },
  { name: 'an empty answer in chunks', request: get(), answer: answer('200 OK\r\nTransfer-Encoding: chunked', '0\r\n\r\n') },
  { name: 'an answer until the end', request: get(), answer: answer('200 OK\r\nConnection: close', 'hello'), end: true },
  { name: 'an answer of HTTP/1.0', request: get(), answer: 'HTTP/1.0 200 OK\r\n\r\nhello', end: true },
  {
    name: 'an answer until the end for HTTP/1.0',
    request: 'GET /x HTTP/1.0\r\nHost: app.test\r\n\r\n',
    answer: answer('200 OK\r\nConnection: close', 'hello'),
    end: true,
  },
  { name: '204', request: get(), answer: answer('204 No Content') },
  { name: '304', request: get(), answer: answer('304 Not Modified\r\nETag: "a"') },
  { name: '404', request: get(), answer: answer('404 Not Found\r\nContent-Length: 2', 'no') },
  { name: '500', request: get(), answer: answer('500 Internal Server Error\r\nContent-Length: 2', 'no') },
  { name: 'a redirect', request: get(), answer: answer('302 Found\r\nLocation: /y\r\nContent-Length: 0') },
  { name: 'a status nobody knows', request: get(), answer: answer('299 Whatever It Is\r\nContent-Length: 0') },
  {
    name: 'cookies on several lines of an answer',
    request: get(),
    answer: answer('200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\nContent-Length: 0'),
  },
  {
    name: 'server and date',
    request: get(),
    answer: answer('200 OK\r\nServer: mine\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0'),
  },
  {
    name: 'fields of an answer for one connection only',
    request: get(),
    answer: answer('200 OK\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive\r\nContent-Length: 0'),
  },
  {
    name: 'validators',
    request: get(),
    answer: answer('200 OK\r\nETag: W/"x"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nVary: Accept\r\nContent-Length: 0'),
  },
  { name: 'white space in an answer', request: get(), answer: answer('200 OK\r\nX-A: \t b \t\r\nX-B:\r\nContent-Length: 0') },
  { name: 'a large answer', request: get(), answer: answer('200 OK\r\nContent-Length: 300000', 'a'.repeat(300_000)) },
  {
    name: 'an interim answer before the answer',
    request: get(),
    answer: `HTTP/1.1 100 Continue\r\n\r\n${answer('200 OK\r\nContent-Length: 2', 'ok')}`,
    differs: { why: 'nginx takes it for the answer itself', status: 200 },
  },
  { name: 'an answer that is cut', request: get(), answer: answer('200 OK\r\nContent-Length: 10', 'hello'), end: true },
  {
    name: 'an answer in chunks that is cut',
    request: get(),
    answer: answer('200 OK\r\nTransfer-Encoding: chunked', '5\r\nhello\r\n'),
    end: true,
  },
  { name: 'no answer', request: get(), answer: '', end: true },
  {
    name: 'garbage for an answer',
    request: get(),
    answer: 'garbage\r\n\r\n',
    end: true,
    differs: distrusts('Sluice says 502; nginx takes it for HTTP/0.9'),
  },
  {
    name: 'two lengths in an answer',
    request: get(),
    answer: answer('200 OK\r\nContent-Length: 2\r\nContent-Length: 3', 'abc'),
    end: true,
    differs: distrusts('the end of the answer can be read in two ways'),
  },
  {
    name: 'both a length and chunks in an answer',
    request: get(),
    answer: answer('200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    end: true,
    differs: distrusts('the end of the answer can be read in two ways'),
  },
];

export const exchanges: readonly ExchangeCase[] = [...requests, ...answers];
