import { quoted } from './quoting.ts';

const trailers = '(^|,)[ \\t]*trailers[ \\t]*($|,|;)';
const requestId = '^[A-Za-z0-9._:/+=-]{1,128}$';
const traceparent =
  '^(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$|^(?!00|ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}-';

/** Fields of one connection (RFC 9110 section 7.6.1). HAProxy itself deals with Connection and Transfer-Encoding. */
const hopByHop = ['keep-alive', 'proxy- -m beg'];
const offered = '(?!(h2c?|http)($|/))[a-z0-9._-]+(/[a-z0-9._-]+)?';
/** CGI-like servers read the underscore spelling as the same field. Between services, other `x-sluice-*` fields belong to the services. */
const underscored = (sluice: string): string =>
  `^(?=.*_)(x[-_]forwarded[-_].*|x[-_]real[-_]ip|x[-_]sluice[-_]${sluice}|content_length|transfer_encoding)$`;

/** Sixteen hexadecimal digits, of 32 random bits: much cheaper than `uuid`, whose digits would have to be taken apart. */
const digits = (seed: number): string => `%[rand,xxh64(${seed}),hex,lower]`;

/** Before routing: an id for the request, which every answer has, errors included. */
export function identityRules(): readonly string[] {
  return [
    `http-request set-var-fmt(txn.id) ${digits(1)}${digits(2)}`,
    `http-request set-var(txn.traced) bool(true) if { req.hdr_cnt(traceparent) eq 1 } { req.hdr(traceparent) -m reg ${quoted(traceparent)} }`,
    // The same draw for both, where the client brings neither.
    `http-request set-header traceparent 00-%[var(txn.id)]-${digits(3)}-01 unless { var(txn.traced) -m found }`,
    `http-request set-var(txn.id) req.hdr(x-request-id) if { req.hdr(x-request-id) -m reg ${quoted(requestId)} }`,
  ];
}

/** The header an instance gets: what the client says about where it comes from or who it is, is replaced. */
export function requestHeaderRules(side: 'public' | 'internal'): readonly string[] {
  return [
    `http-request set-var(txn.trailers) bool(true) if { req.hdr(te) -m found } { req.hdr(te) -m reg -i ${quoted(trailers)} }`,
    'http-request lua.drop-named if { req.hdr(connection) -m found } !{ req.fhdr(connection) -m str -i keep-alive close upgrade }',
    ...hopByHop.map((name) => `http-request del-header ${name}`),
    'http-request del-header te if { req.hdr(te) -m found }',
    'http-request set-header te trailers if { var(txn.trailers) -m bool }',
    'http-request del-header http2-settings if { req.hdr(upgrade) -m found }',
    `http-request del-header upgrade if { req.hdr(upgrade) -m found } !{ req.fhdr(upgrade) -m reg -i ${quoted(`^${offered}$`)} }`,
    'http-request del-header x-real-ip',
    'http-request del-header x-forwarded- -m beg',
    ...(side === 'public' ? ['http-request del-header x-sluice- -m beg'] : []),
    `http-request del-header ${quoted(underscored(side === 'public' ? '.*' : '(token|caller)'))} -m reg if { req.hdrs -m sub _ }`,
    'http-request set-header x-request-id %[var(txn.id)]',
    `http-request del-header tracestate if { req.hdr(tracestate) -m found } !{ var(txn.traced) -m found }`,
    'http-request add-header x-forwarded-for %[src]',
    'http-request add-header x-forwarded-proto http',
    'http-request add-header x-forwarded-host %[req.hdr(host)]',
    String.raw`http-request set-header forwarded "for=%[src];host=\"%[req.hdr(host)]\";proto=http"`,
  ];
}

/** The header a client gets for an instance's answer. */
export function answerHeaderRules(): readonly string[] {
  return [
    'http-response lua.drop-named-of-answer if { res.hdr(connection) -m found } !{ res.fhdr(connection) -m str -i keep-alive close upgrade }',
    ...hopByHop.map((name) => `http-response del-header ${name}`),
    'http-response set-var(txn.answered) bool(true) if { status 503 }',
    // A client that was never told to go on may or may not send its body: only closing is unambiguous.
    'http-after-response set-header connection close if { var(txn.expects) -m found } { status ge 300 }',
    'http-after-response set-header x-request-id %[var(txn.id)] unless { res.hdr(x-request-id) -m found }',
  ];
}
