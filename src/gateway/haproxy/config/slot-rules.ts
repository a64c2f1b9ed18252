import { returnAndClose } from './error-answers.ts';
import { quoted } from './quoting.ts';

/** Sixteen hexadecimal digits, of 32 random bits: much cheaper than `uuid`, whose digits would have to be taken apart. */
const digits = (seed: number): string => `%[rand,xxh64(${seed}),hex,lower]`;

/** Of a frontend: an id for the request, made when it is first asked for. It is the id of its trace too. */
export const requestIdFormat = `${digits(1)}${digits(2)}`;

/** Of a frontend: what is the same for all requests of a connection is written once. `node`: the address as RFC 7239 wants it. */
export const connectionRules: readonly string[] = [
  'tcp-request session set-var(sess.src) src,concat()',
  'tcp-request session set-var(sess.node) src,concat()',
  String.raw`tcp-request session set-var(sess.node) str(\\\"[),concat(,sess.src,]\\\") if { var(sess.src) -m sub : }`,
];

/**
 * What an instance gets beside the fields of the client, of which an ordinary request has none of these. `span`: sixteen hexadecimal digits for
 * the gateway's part in a trace that begins here, which has no other. It is one field whose text goes on into the next ones: each field that is
 * added by a rule of its own costs as much as looking up the route.
 */
export function requestRules(span: string): readonly string[] {
  const fields = [
    'x-request-id: %[unique-id]',
    `traceparent: 00-%ID-${span}-01`,
    'x-forwarded-for: %[var(sess.src)]',
    'x-forwarded-proto: http',
    'x-forwarded-host: %[req.hdr(host)]',
    'forwarded: for=%[var(sess.node)];host="%[req.hdr(host)]";proto=http',
  ];
  const [first, ...others] = fields as [string, ...string[]];
  const text = [first.slice(first.indexOf(' ') + 1), ...others].map((field) => quoted(field).slice(1, -1)).join(String.raw`\r\n`);
  return [`http-request add-header x-request-id "${text}"`];
}

/** The header a client gets for an instance's answer, and for HAProxy's own. */
export const answerRules: readonly string[] = [
  'http-response lua.drop-named if { res.hdr(connection) -m found } !{ res.fhdr(connection) -m str -i keep-alive close upgrade }',
  'http-response del-header keep-alive',
  'http-response del-header proxy- -m beg',
  'http-response set-var(txn.answered) bool(true) if { status 503 }',
  'http-after-response add-header x-request-id %ID unless { res.hdr(x-request-id) -m found }',
  // HAProxy's own answer where no server accepts a connection is 503; one of an instance (`answered`) stays as it is.
  'http-after-response set-status 502 if { status 503 } !{ var(txn.answered) -m found }',
];

/**
 * Of what is passed on. HAProxy keeps the connection of a client whose request the engine behind refused and closed its own for: what comes
 * after a broken request cannot be trusted to be one, and one who was never told to go on may or may not send its body.
 */
export const relayRules: readonly string[] = [
  // To a connection of a version it does not know HAProxy would be tied.
  `http-request ${returnAndClose('gateway_request_invalid', { reason: 'the protocol version is neither 1.1 nor 1.0' })} unless { req.ver 1.1 1.0 }`,
  // It would wait for the end of a body that is refused.
  `http-request ${returnAndClose('gateway_request_invalid', { reason: 'the Content-Length is not a number' })} if { req.fhdr(content-length) -m len gt 15 }`,
  'http-request set-var(txn.expects) bool(true) if { req.hdr(expect) -m found }',
  'http-after-response set-header connection close if { status 400 408 413 414 417 431 501 505 }',
  'http-after-response set-header connection close if { var(txn.expects) -m found } { status ge 300 }',
];
