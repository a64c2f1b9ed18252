import type { RateRule, Shape } from '../state/plane-state.ts';
import { field, noSlot } from '../state/route-entries.ts';
import { forbiddenCall, returns } from './error-answers.ts';
import { quoted } from './quoting.ts';

/** Names an identifier the rest of a request's rules work with. All live as long as the request (`txn`). */
const of = (name: string): string => `var(txn.${name})`;
const part = (index: number): string => `${of('route')},field(${index},|)`;

const host = String.raw`^([a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?|\[[0-9a-f:.]+\])(:[0-9]{0,5})?$`;
const dotSegment = String.raw`(^|[/\\]|%2f|%5c)(\.|%2e){1,2}($|[/\\;]|%2f|%5c)`;
/** HAProxy passes these on as they are; instances that end a value at one of them would read another header. */
const control = String.raw`[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]`;
const method = 'GET HEAD POST PUT DELETE PATCH OPTIONS TRACE';

/** What follows on the connection cannot be trusted to be a request. */
const closing = ' hdr connection close';
const invalid = (reason: string): string => `http-request ${returns('gateway_request_invalid', { reason }, closing)}`;

/** What HAProxy's parser lets through but the embedded plane refuses: whatever two servers might read differently. */
export function checkRules(side: 'public' | 'internal'): readonly string[] {
  const isPlain = side === 'public' ? ` !{ req.hdr(host),strcmp(txn.host) eq 0 }` : '';
  return [
    ...(side === 'public' ? ['http-request set-var(txn.host) req.hdr(host),host_only,rtrim(.)'] : []),
    `http-request ${returns('gateway_request_unsupported', { what: 'CONNECT' }, closing)} if { method CONNECT }`,
    `${invalid('its method is unknown')} unless { method ${method} }`,
    `${invalid('the protocol version is neither 1.1 nor 1.0')} unless { req.ver 1.1 1.0 }`,
    `${invalid('Transfer-Encoding in HTTP/1.0')} if { req.ver 1.0 } { req.hdr(transfer-encoding) -m found }`,
    `${invalid('the Transfer-Encoding is not chunked')} if { req.hdr(transfer-encoding) -m found } !{ req.fhdr(transfer-encoding) -m str -i chunked }`,
    `${invalid('more than one Transfer-Encoding header')} if { req.fhdr_cnt(transfer-encoding) gt 1 }`,
    // HAProxy counts lengths modulo 2^64 and passes them on as they were written.
    `${invalid('the Content-Length is not a number')} if { req.fhdr(content-length) -m len gt 15 }`,
    `${invalid('a header line is malformed')} if { req.hdrs -m reg ${quoted(control)} }`,
    `${invalid('the Host header is missing or repeated')} unless { req.hdr_cnt(host) eq 1 }`,
    // The route is looked up by host and path in one: a slash in the host must not pass for the beginning of the path.
    `${invalid('the Host header is not a host name')} if { req.hdr(host) -m sub / }`,
    // Most are the name as it stands in the table: only others need the expression.
    `${invalid('the Host header is not a host name')} if${isPlain} !{ req.hdr(host) -m reg -i ${quoted(host)} }`,
    'http-request set-uri /%[pathq] if !{ url -m beg / } { url -m beg -i http:// } !{ path -m beg / }',
    'http-request set-uri %[pathq] if !{ url -m beg / } { url -m beg -i http:// }',
    `${invalid('the request target is not a path')} unless { url -m beg / } !{ url -m sub ${quoted('#')} } !{ url -m reg ${quoted(String.raw`[^\x21-\x7e]`)} }`,
    `${invalid('the path contains dot segments')} if { path -m sub . % } { path -m reg -i ${quoted(dotSegment)} }`,
    `http-request ${returns('gateway_expectation_failed', {}, closing)} if { req.hdr(expect) -m found } !{ req.hdr(expect) -m str -i 100-continue }`,
    'http-request set-var(txn.expects) bool(true) if { req.hdr(expect) -m found }',
  ];
}

/** Finds the route of a public request: one look-up. */
export function publicRules(map: string): readonly string[] {
  return [
    'http-request set-var(txn.path) path',
    `http-request set-var(txn.route) so_name,concat(|,txn.host),concat(,txn.path,/),map_beg(${map})`,
    `${invalid('the Host header is not a host name')} if !{ ${of('route')} -m found } !{ req.hdr(host) -m reg -i ${quoted(host)} }`,
    `http-request ${returns('gateway_route_unknown', {})} unless { ${of('route')} -m found }`,
  ];
}

/** Finds who calls whom. A name that is not declared is forbidden whether it exists or not. */
export function internalRules(map: string): readonly string[] {
  return [
    `http-request set-var(txn.digest) req.hdr(x-sluice-token),sha2(256),hex,lower if { req.hdr_cnt(x-sluice-token) eq 1 }`,
    `http-request set-var(txn.caller) str(t|),concat(,txn.digest),map_str(${map})`,
    `http-request ${returns('gateway_unauthenticated', {})} unless { ${of('caller')} -m found }`,
    'http-request set-var(txn.callee) path,field(2,/)',
    `http-request set-var(txn.route) str(c|),concat(,txn.caller),concat(|,txn.callee),map_str(${map})`,
    `http-request ${returns('gateway_call_forbidden', forbiddenCall)} unless { ${of('route')} -m found }`,
    String.raw`http-request replace-path ^/[^/]*/?(.*)$ /\1`,
    'http-request del-header x-sluice-token',
    'http-request set-header x-sluice-caller %[var(txn.caller),field(2,/)]',
  ];
}

/** From the route to the slot, in the order of what overrules what: the draw, the unit, the tester. */
export function splitRules(map: string, shape: Shape): readonly string[] {
  const several = `{ ${of('point')} -m found }`;
  const rules = [
    `http-request set-var(txn.slot) ${part(field.slot)}`,
    `http-request set-var(txn.point) rand if { ${part(field.firstPoint)} -m found }`,
  ];
  for (const source of shape.sources) {
    const isAsked = `{ ${part(field.source)} -m str ${quoted(source)} }`;
    for (const fetch of unitFetches(source))
      rules.push(`http-request set-var(txn.unit) ${fetch} if ${several} ${isAsked} !{ ${of('unit')} -m found }`);
  }
  if (shape.sources.size > 0) {
    rules.push(
      `http-request set-var(txn.seed) ${part(field.seed)} if { ${of('unit')} -m len gt 0 }`,
      `http-request set-var(txn.point) lua.point if { ${of('seed')} -m found }`,
    );
  }
  for (let index = 0; index < shape.ranges - 1; index += 1) {
    const from = part(field.firstPoint + 2 * index);
    const name = `from${index}`;
    rules.push(
      `http-request set-var(txn.${name}) ${from} if ${several} { ${from} -m found }`,
      `http-request set-var(txn.slot) ${part(field.firstPoint + 2 * index + 1)} if ${several} { ${of(name)} -m found } { ${of('point')},sub(txn.${name}) ge 0 }`,
    );
  }
  for (const header of shape.overrideHeaders) {
    rules.push(
      `http-request set-var(txn.wanted) req.fhdr(${header}) if { ${part(field.overrideHeader)} -m str ${quoted(header)} } { req.hdr(${header}) -m found }`,
      `http-request set-var(txn.service) ${part(field.service)} if { ${of('wanted')} -m found }`,
      `http-request set-var(txn.chosen) str(o|),concat(,txn.service),concat(|,txn.wanted),map_str(${map}) if { ${of('wanted')} -m found }`,
      `http-request set-var(txn.slot) ${of('chosen')} if { ${of('chosen')} -m found }`,
    );
  }
  if (shape.priorities) rules.push(`http-request set-priority-class ${part(field.priority)} if { ${part(field.priority)} -m len gt 0 }`);
  rules.push(`http-request ${returns('gateway_no_instance', {})} if { ${of('slot')} -m str ${noSlot} }`);
  return rules;
}

function unitFetches(source: string): readonly string[] {
  if (source === 'user') return ['req.fhdr(x-sluice-user)', quoted("http_auth_bearer,jwt_payload_query('$.sub')")];
  const [kind, name] = [source.slice(0, source.indexOf(':')), source.slice(source.indexOf(':') + 1)];
  return [kind === 'cookie' ? `req.cook(${name})` : `req.fhdr(${name})`];
}

export function rateRules(rules: readonly RateRule[]): readonly string[] {
  return rules.flatMap((rule) => {
    const isAsked = `{ ${part(field.service)} -m str ${rule.service} }`;
    const counter = rule.counter;
    return [
      `http-request track-sc${counter} ${rateKey(rule.key)} table ${rule.table} if ${isAsked}`,
      `http-request ${returns('gateway_rate_limited', {})} if ${isAsked} { sc${counter}_http_req_rate(${rule.table}) gt ${rule.requests} }`,
    ];
  });
}

function rateKey(key: RateRule['key']): string {
  if (key.by === 'client') return 'src';
  return key.by === 'caller' ? `${of('caller')},concat(c)` : `req.fhdr(${key.name}),concat(h)`;
}
