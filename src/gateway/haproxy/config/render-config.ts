import type { Limits } from '../../http/limits.ts';
import type { LogSampling } from '../log/sampling.ts';
import type { Bind, HaproxyServer, PlaneState } from '../state/plane-state.ts';
import { httpError } from './error-answers.ts';
import { logRules, toldAnswerRules, toldRules, untold } from './log-rules.ts';
import { ordinaryTests } from './ordinary.ts';
import { answerRules, connectionRules, relayRules, requestIdFormat, requestRules } from './slot-rules.ts';

export interface ConfigFiles {
  /** Control socket; of this process alone. */
  readonly socket: string;
  /** The routes of a listener, by its name. */
  readonly map: (listener: string) => string;
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
  /** See `requestRules`. */
  readonly span: string;
  readonly told: LogSampling;
}

/** Of the user and the group that own nothing: their names differ from system to system. */
export const nobody = 65_534;

/** The embedded engine ends what takes too long, and is not to be cut short. */
const relayMarginMs = 10_000;

/** The whole configuration of one HAProxy process: it serves by this state as soon as it runs, with not a command given. */
export function renderConfig(state: PlaneState, options: ConfigOptions): string {
  const { limits, files, binds } = options;
  const sections = [
    section('global', [
      `stats socket ${files.socket} mode 600 level admin`,
      'stats timeout 20d',
      `lua-load-per-thread ${files.lua}`,
      ...(options.unprivileged ? [`uid ${nobody}`, `gid ${nobody}`] : []),
      ...(options.threads === undefined ? [] : [`nbthread ${options.threads}`]),
      // An answer of 16 KB passes in one piece.
      `tune.bufsize ${limits.headerBytes + 1_024}`,
      'tune.maxrewrite 1024',
      `tune.http.maxhdr ${limits.headerCount}`,
    ]),
    section('defaults doors', [
      ...always(options),
      ...logRules,
      `timeout client ${limits.streamIdleMs}`,
      `timeout tunnel ${limits.upgradeIdleMs}`,
      `timeout http-request ${limits.requestHeadMs}`,
      `timeout http-keep-alive ${limits.clientKeepAliveMs}`,
    ]),
    ...binds.map((bind) => door(bind, files)),
    section('defaults relays', [
      ...always(options),
      // Each client's connection has one of its own: who it is, is said once.
      'http-reuse never',
      'retries 1',
      `timeout connect ${limits.connectMs + relayMarginMs}`,
      `timeout server ${Math.max(limits.responseHeadMs, limits.streamIdleMs) + relayMarginMs}`,
      `timeout tunnel ${limits.upgradeIdleMs + relayMarginMs}`,
      ...failures,
      untold,
      ...relayRules,
    ]),
    ...binds.map((bind) => section(`backend relay-${bind.name} from relays`, [`server embedded unix@${bind.relay} send-proxy-v2`])),
    section('defaults slots', [
      ...always(options),
      'balance random(2)',
      'http-reuse always',
      `retries ${limits.attempts - 1}`,
      'option redispatch 1',
      `timeout connect ${limits.connectMs}`,
      `timeout server ${Math.max(limits.responseHeadMs, limits.streamIdleMs)}`,
      `timeout tunnel ${limits.upgradeIdleMs}`,
      ...failures,
      ...requestRules(options.span),
      ...toldRules(options.told),
      ...answerRules,
      ...toldAnswerRules,
    ]),
    ...slots(state),
  ];
  return `${sections.join('\n')}\n`;
}

const failures: readonly string[] = [
  httpError(502, 'gateway_upstream_failed', {}),
  httpError(503, 'gateway_upstream_unreachable', {}),
  httpError(504, 'gateway_upstream_timeout', {}),
];

function always({ files }: ConfigOptions): readonly string[] {
  return [
    'mode http',
    'option disable-h2-upgrade',
    'option abortonclose',
    'option idle-close-on-response',
    'option http-no-delay',
    ...[...files.errors].map(([status, path]) => `errorfile ${status} ${path}`),
  ];
}

/** An ordinary request goes to the slot of its route. Without a backend of the name that is found there, or with none found, it goes on too. */
function door(bind: Bind & { readonly fd: number }, files: ConfigFiles): string {
  return section(`frontend ${bind.name} from doors`, [
    `bind fd@${bind.fd} name ${bind.name}`,
    ...connectionRules,
    `unique-id-format ${requestIdFormat}`,
    `use_backend %[base,concat(/),map_beg(${files.map(bind.name)})] if ${ordinaryTests.map((test) => `{ ${test} }`).join(' ')}`,
    `default_backend relay-${bind.name}`,
  ]);
}

function slots({ names, slots: filled }: PlaneState): readonly string[] {
  const servers = new Map(filled.map((slot) => [slot.name, slot.servers]));
  return [...names].map((name) =>
    section(
      `backend ${name} from slots`,
      (servers.get(name) ?? []).map(
        (server) => `server ${server.name} ${serverSpec(server)}${server.state === 'maint' ? ' disabled' : ''}`,
      ),
    ),
  );
}

/** Address and settings of a server, as in the configuration and as `add server` takes them. */
export function serverSpec({ host, port }: HaproxyServer): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port} pool-max-conn 4096 pool-purge-delay 1500ms`;
}

function section(head: string, lines: readonly string[]): string {
  return [head, ...lines.map((line) => `  ${line}`)].join('\n');
}
