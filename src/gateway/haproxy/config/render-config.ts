import type { Limits } from '../../http/limits.ts';
import type { Bind, HaproxyServer, PlaneState } from '../state/plane-state.ts';
import { httpError } from './error-answers.ts';
import { answerHeaderRules, identityRules, requestHeaderRules } from './header-rules.ts';
import { checkRules, internalRules, publicRules, rateRules, splitRules } from './request-rules.ts';

export interface ConfigFiles {
  /** Control socket; of this process alone. */
  readonly socket: string;
  readonly map: string;
  readonly lua: string;
  /** Error files by status. */
  readonly errors: ReadonlyMap<number, string>;
}

export interface ConfigOptions {
  /** `fd`: the descriptor a listening socket is inherited as. */
  readonly binds: readonly (Bind & { readonly fd: number })[];
  readonly limits: Limits;
  readonly files: ConfigFiles;
  /** Threads; undefined: as many as there are cores. */
  readonly threads?: number | undefined;
  /** Gives up the rights of root once it listens. */
  readonly unprivileged: boolean;
}

/** The whole configuration of one HAProxy process: it serves by this state as soon as it runs, with not a command given. */
export function renderConfig(state: PlaneState, options: ConfigOptions): string {
  const { limits, files } = options;
  const sections = [
    section('global', [
      `stats socket ${files.socket} mode 600 level admin`,
      'stats timeout 20d',
      `lua-load-per-thread ${files.lua}`,
      ...(options.unprivileged ? ['user nobody', 'group nogroup'] : []),
      ...(options.threads === undefined ? [] : [`nbthread ${options.threads}`]),
      // An answer of 16 KB passes in one piece.
      `tune.bufsize ${limits.headerBytes + 1_024}`,
      'tune.maxrewrite 1024',
      `tune.http.maxhdr ${limits.headerCount}`,
    ]),
    section('defaults', [
      'mode http',
      'balance random(2)',
      'http-reuse always',
      `retries ${limits.attempts - 1}`,
      'option redispatch 1',
      'option disable-h2-upgrade',
      'option abortonclose',
      'option idle-close-on-response',
      'option http-no-delay',
      `timeout connect ${limits.connectMs}`,
      `timeout client ${limits.streamIdleMs}`,
      `timeout server ${Math.max(limits.responseHeadMs, limits.streamIdleMs)}`,
      `timeout tunnel ${limits.upgradeIdleMs}`,
      `timeout http-request ${limits.requestHeadMs}`,
      `timeout http-keep-alive ${limits.clientKeepAliveMs}`,
      ...[...files.errors].map(([status, path]) => `errorfile ${status} ${path}`),
      httpError(502, 'gateway_upstream_failed', {}),
      httpError(503, 'gateway_upstream_unreachable', {}),
      httpError(504, 'gateway_upstream_timeout', {}),
    ]),
    ...(['public', 'internal'] as const).map((side) => frontend(side, state, options)),
    ...state.shape.rateRules.map(({ table, windowMs }) =>
      section(`backend ${table}`, [`stick-table type string len 128 size 100k expire ${2 * windowMs} store http_req_rate(${windowMs})`]),
    ),
    ...slots(state),
  ];
  return `${sections.join('\n')}\n`;
}

function frontend(side: Bind['side'], state: PlaneState, { binds, files }: ConfigOptions): string {
  const own = binds.filter((bind) => bind.side === side);
  if (own.length === 0) return '';
  return section(`frontend ${side}`, [
    ...own.map((bind) => `bind fd@${bind.fd} name ${bind.name}`),
    ...identityRules(),
    ...checkRules(side),
    ...(side === 'public' ? publicRules(files.map) : internalRules(files.map)),
    ...splitRules(files.map, state.shape),
    ...rateRules(state.shape.rateRules),
    ...requestHeaderRules(side),
    'use_backend %[var(txn.slot)]',
    ...answerHeaderRules(),
  ]);
}

/** HAProxy's own answer where no server accepts a connection is 503; one of an instance (`answered`) stays as it is. */
const unreachableRules = ['http-after-response set-status 502 if { status 503 } !{ var(txn.answered) -m found }'];

function slots(state: PlaneState): readonly string[] {
  const servers = new Map(state.slots.map((slot) => [slot.name, slot.servers]));
  return [...state.shape.slots].map(([name, { queueMs }]) =>
    section(`backend ${name}`, [
      ...(queueMs === undefined ? unreachableRules : [`timeout queue ${queueMs}`, httpError(503, 'gateway_overloaded', {})]),
      ...(servers.get(name) ?? []).map(
        (server) => `server ${server.name} ${serverSpec(server)}${server.state === 'maint' ? ' disabled' : ''}`,
      ),
    ]),
  );
}

/** Address and settings of a server, as in the configuration and as `add server` takes them. */
export function serverSpec(server: HaproxyServer): string {
  const bounds = server.maxConnections === 0 ? '' : ` maxconn ${server.maxConnections} maxqueue ${server.maxQueue}`;
  return `${addressOf(server)} pool-max-conn 256 pool-purge-delay 1500ms${bounds}`;
}

function addressOf({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function section(head: string, lines: readonly string[]): string {
  return [head, ...lines.map((line) => `  ${line}`)].join('\n');
}
