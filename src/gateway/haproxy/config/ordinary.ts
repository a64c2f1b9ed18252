import { quoted } from './quoting.ts';

/**
 * What an ordinary request looks like: one that can be passed on as it came, with fields of the gateway's own added and nothing taken out or
 * refused. Whatever else there is goes to the embedded engine, which looks at it closely. Each test is one look at the whole: taken apart, the
 * same is asked by some sixty rules that cost more than the proxying itself.
 */

/** No dot segment however it is spelled, no backslash, fragment, or byte that is no part of a target. */
const target = String.raw`^(?:/(?!\.{1,2}(?:[/;?]|$))(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%(?!2[eEfF]|5[cC]))*+)++(?:\?[\x21\x22\x24-\x7e]*+)?$`;

/** Fields the embedded engine replaces, takes out, or acts on; HAProxy has made their names lower case. */
const special = [
  'forwarded:',
  'x-forwarded-',
  'x-real-ip:',
  'x-sluice-',
  'x-request-id:',
  'trace(?:parent|state):',
  'te:',
  'trailer:',
  'keep-alive:',
  'proxy-',
  'upgrade:',
  'http2-settings:',
  'expect:',
  'transfer-encoding:',
  String.raw`connection: (?!(?:[Kk]eep-[Aa]live|close)\r)`,
  // HAProxy counts lengths modulo 2^64 and passes them on as they were written.
  'content-length: [0-9]{16}',
  // The route is looked up by host and path in one: a slash in the host must not pass for the beginning of the path.
  String.raw`host: (?![a-z0-9.:-]+\r)`,
];

/** No underscore in a name: CGI-like servers read `x_forwarded_for` as the field of the gateway. No control character in a value. */
const header = String.raw`^(?:(?!${special.join('|')})[a-z0-9!#$%&'*+.^` + '`' + String.raw`|~-]++: [\t\x20-\x7e\x80-\xff]*+\r\n)*+\r\n$`;

/** Tests of a rule, all of which an ordinary request passes; the cheapest first. */
export const ordinaryTests: readonly string[] = [
  'req.ver 1.1',
  'method GET HEAD POST PUT DELETE PATCH OPTIONS TRACE',
  `url -m reg ${quoted(target)}`,
  `req.hdrs -m reg ${quoted(header)}`,
];
