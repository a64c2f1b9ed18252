import { z } from 'zod';
import { type Json, jsonEquals } from '../../digest/json.ts';
import { firstFreePort, firstPortFrom } from '../../effects/ports.ts';
import { SluiceError } from '../../errors/sluice-error.ts';
import type { Document, Receipt, Store, Write } from '../../store/store.ts';
import { checkTable, parseService, parseTable } from '../table/check-table.ts';
import { type ListenerSettings, listenerSettings } from './listener-settings.ts';
import { type RoutingTable, type ServiceRoute, serviceRoute } from '../routing-table.ts';

/**
 * The desired routing, in the store's collection `routing`: `service/<environment>/<name>` one route each, `listener/<environment>` and
 * `tls-listener/<environment>` the public ports for good, `settings/<environment>` how its gateway serves, `table` the version. A gateway
 * that lost everything is told it again from here.
 */
export interface RouteStore {
  table(): Promise<RoutingTable>;
  /** Throws `gateway_table_invalid` when the route contradicts another; nothing is stored then. */
  put(route: ServiceRoute): Promise<void>;
  remove(service: { environment: string; name: string }): Promise<void>;
  /** An environment's public listener; its ports are chosen the first time and remembered for good. */
  listener(environment: string): Promise<Listener>;
  /** Chooses another port for an environment whose port another program took; undefined when it was given one that must not change. */
  moveListener(environment: string): Promise<Listener | undefined>;
  /** As `moveListener` for its port of HTTPS; undefined when it has none, or was given one that must not change. */
  moveTlsListener(environment: string): Promise<number | undefined>;
  settings(environment: string): Promise<ListenerSettings | undefined>;
  /**
   * Undefined: plain HTTP only. Throws `gateway_table_invalid` when it contradicts another environment; nothing is stored then. There is one
   * engine: what was said last holds for every environment that names one.
   */
  configure(environment: string, settings: ListenerSettings | undefined): Promise<void>;
  /** Makes the table newer than `version`, for a gateway that remembers more than this store. */
  raiseAbove(version: number): Promise<void>;
}

type Listener = RoutingTable['listeners'][number];

const collection = 'routing';
const publicHost = '127.0.0.1';
const firstPublicPort = 7_080;
const firstTlsPort = 7_443;
const listenerDocument = z.object({ host: z.string(), port: z.number().int() });
const portDocument = z.object({ port: z.number().int() });
const versionDocument = z.object({ version: z.number().int() });
/** Tries of a change that loses against another control plane's. */
const conflictTries = 5;

interface Routing {
  readonly version: number;
  /** Of the document `table`; 0 before the first. */
  readonly revision: number;
  readonly listeners: readonly Listener[];
  /** Ports of HTTPS that were chosen here, by environment. */
  readonly tlsPorts: ReadonlyMap<string, number>;
  readonly settings: ReadonlyMap<string, ListenerSettings>;
  readonly services: readonly ServiceRoute[];
}

interface Decision<Result> {
  readonly writes: readonly Write[];
  readonly result: Result;
  /** Instead of the next one. */
  readonly version?: number;
}

export function createRouteStore(store: Store): RouteStore {
  let queue: Promise<unknown> = Promise.resolve();

  // Every change of the routing, whoever makes it, changes the document of its version.
  let known: ReadonlyMap<string, Document> | undefined;
  const parsed = new WeakMap<Document, ServiceRoute>();

  const documentsNow = async (): Promise<ReadonlyMap<string, Document>> => {
    const version = (await store.get(collection, 'table'))?.version;
    if (known === undefined || version === undefined || known.get('table')?.version !== version) {
      known = new Map((await store.list(collection)).map((document) => [document.key, document]));
    }
    return known;
  };

  const routeIn = (document: Document): ServiceRoute => {
    const route = parsed.get(document) ?? serviceRoute.parse(document.value);
    parsed.set(document, route);
    return route;
  };

  const read = async (): Promise<Routing> => {
    const documents = [...(await documentsNow()).values()];
    const under = (prefix: string): typeof documents => documents.filter(({ key }) => key.startsWith(prefix));
    const own = documents.find(({ key }) => key === 'table');
    return {
      version: own ? versionDocument.parse(own.value).version : 0,
      revision: own?.version ?? 0,
      listeners: under('listener/').map(({ key, value }) => {
        const { host, port } = listenerDocument.parse(value);
        return { environment: nameIn(key), host, port };
      }),
      tlsPorts: new Map(under('tls-listener/').map(({ key, value }) => [nameIn(key), portDocument.parse(value).port])),
      settings: new Map(under('settings/').map(({ key, value }) => [nameIn(key), listenerSettings.parse(value)])),
      services: under('service/').map(routeIn),
    };
  };

  /** One change after the other; a conflict with another control plane reads anew. No writes, no new version. */
  const change = <Result>(decide: (routing: Routing) => Promise<Decision<Result>>): Promise<Result> => {
    const changed = queue.then(async () => {
      for (let tries = 1; ; tries += 1) {
        const routing = await read();
        const { writes, result, version } = await decide(routing);
        if (writes.length === 0 && version === undefined) return result;
        try {
          const all = [...writes, versionWrite(routing, version ?? routing.version + 1)];
          const base = known;
          const receipt = await store.transact(all);
          known = base && documentsAfter(base, all, receipt);
          return result;
        } catch (error) {
          if (tries >= conflictTries || !(error instanceof SluiceError) || error.code !== 'store_conflict') throw error;
        }
      }
    });
    queue = changed.catch(() => {});
    return changed;
  };

  const listener = (environment: string): Promise<Listener> =>
    change(async (routing) => {
      const known = routing.listeners.find((each) => each.environment === environment);
      if (known !== undefined) return { writes: [], result: asServed(known, routing) };
      const { writes, result } = await chooseListener(environment, routing, firstPortFrom(firstPublicPort));
      return { writes, result: asServed(result, routing) };
    });

  return {
    table: async () => tableOf(await read()),
    put: (route) =>
      change(async (routing) => {
        const { environment } = route;
        const before = routing.services.find((each) => isSame(each, route));
        if (before && jsonEquals(asJson(before), asJson(route))) return { writes: [], result: undefined };
        const isListening = routing.listeners.some((each) => each.environment === environment);
        const chosen = isListening ? undefined : await chooseListener(environment, routing, firstPortFrom(firstPublicPort));
        const listeners = chosen === undefined ? routing.listeners : [...routing.listeners, chosen.result];
        const services = [...routing.services.filter((each) => each !== before), parseService(route)];
        checkTable(tableOf({ ...routing, listeners, services }));
        const write: Write = { operation: 'put', collection, key: keyOf(route), value: asJson(route) };
        return { writes: [...(chosen?.writes ?? []), write], result: undefined };
      }),
    remove: (service) =>
      change(async (routing) => {
        const isKnown = routing.services.some((each) => isSame(each, service));
        return { writes: isKnown ? [{ operation: 'delete', collection, key: keyOf(service) }] : [], result: undefined };
      }),
    listener,
    moveListener: (environment) =>
      change(async (routing): Promise<Decision<Listener | undefined>> => {
        if (routing.settings.get(environment)?.port !== undefined) return { writes: [], result: undefined };
        const known = routing.listeners.find((each) => each.environment === environment);
        const { writes, result } = await chooseListener(
          environment,
          routing,
          known === undefined ? firstPortFrom(firstPublicPort) : known.port + 1,
        );
        return { writes, result: asServed(result, routing) };
      }),
    moveTlsListener: (environment) =>
      change(async (routing) => {
        const { tls } = routing.settings.get(environment) ?? {};
        if (tls === undefined || tls.port !== undefined) return { writes: [], result: undefined };
        return chooseTlsPort(environment, routing, (routing.tlsPorts.get(environment) ?? firstPortFrom(firstTlsPort) - 1) + 1);
      }),
    settings: async (environment) => (await read()).settings.get(environment),
    configure: async (environment, settings) => {
      if (settings?.tls !== undefined && settings.tls.port === undefined) {
        await change(async (routing): Promise<Decision<number>> => {
          const known = routing.tlsPorts.get(environment);
          return known === undefined ? chooseTlsPort(environment, routing, firstPortFrom(firstTlsPort)) : { writes: [], result: known };
        });
      }
      if (settings !== undefined) await listener(environment);
      await change(async (routing) => {
        const known = routing.settings.get(environment);
        const wanted = settings && asJson(settings);
        const isSame = known === undefined || wanted === undefined ? known === wanted : jsonEquals(asJson(known), wanted);
        if (isSame) return { writes: [], result: undefined };
        const next = new Map(routing.settings);
        if (settings === undefined) next.delete(environment);
        else next.set(environment, settings);
        const agreed = settings?.engine === undefined ? [] : agreeing(next, settings.engine);
        for (const [other, value] of agreed) next.set(other, value);
        parseTable(tableOf({ ...routing, settings: next }, { all: true }));
        const key = `settings/${environment}`;
        const write: Write =
          wanted === undefined ? { operation: 'delete', collection, key } : { operation: 'put', collection, key, value: wanted };
        const others = agreed.map(
          ([other, value]): Write => ({ operation: 'put', collection, key: `settings/${other}`, value: asJson(value) }),
        );
        return { writes: [write, ...others], result: undefined };
      });
    },
    raiseAbove: (version) =>
      change(async (routing) =>
        routing.version > version ? { writes: [], result: undefined } : { writes: [], result: undefined, version: version + 1 },
      ),
  };
}

/** The documents once the writes are made, in the order of their keys, which are ASCII. */
function documentsAfter(before: ReadonlyMap<string, Document>, writes: readonly Write[], receipt: Receipt): ReadonlyMap<string, Document> {
  const after = new Map(before);
  for (const [index, write] of writes.entries()) {
    if (write.operation === 'put') after.set(write.key, { key: write.key, version: receipt[index] as number, value: write.value });
    else if (write.operation === 'delete') after.delete(write.key);
  }
  const hasNew = writes.some((write) => write.operation === 'put' && !before.has(write.key));
  return hasNew ? new Map([...after].toSorted(([one], [other]) => (one < other ? -1 : 1))) : after;
}

function versionWrite(routing: Routing, version: number): Write {
  return { operation: 'put', collection, key: 'table', value: { version }, ifVersion: routing.revision };
}

async function chooseListener(environment: string, routing: Routing, from: number): Promise<Decision<Listener>> {
  const others = routing.listeners.filter((each) => each.environment !== environment).map(({ port }) => port);
  const port = await chooseFree(from, new Set([...others, ...givenPortsOf(routing), ...tlsPortsOf(routing)]));
  const value = { host: publicHost, port };
  return { writes: [{ operation: 'put', collection, key: `listener/${environment}`, value }], result: { environment, ...value } };
}

async function chooseTlsPort(environment: string, routing: Routing, from: number): Promise<Decision<number>> {
  const port = await chooseFree(
    from,
    new Set([...routing.listeners.map((each) => each.port), ...givenPortsOf(routing), ...tlsPortsOf(routing, environment)]),
  );
  return { writes: [{ operation: 'put', collection, key: `tls-listener/${environment}`, value: { port } }], result: port };
}

async function chooseFree(from: number, reserved: ReadonlySet<number>): Promise<number> {
  let port = await firstFreePort(publicHost, from);
  while (reserved.has(port)) port = await firstFreePort(publicHost, port + 1);
  return port;
}

function givenPortsOf({ settings }: Routing): readonly number[] {
  return Array.from(settings.values()).flatMap(({ port }) => (port === undefined ? [] : [port]));
}

/** Every port of HTTPS that is somebody's, but those of `without`. */
function tlsPortsOf({ tlsPorts, settings }: Routing, without?: string): readonly number[] {
  const given = Array.from(settings, ([environment, { tls }]) => [environment, tls?.port] as const);
  return [...tlsPorts, ...given].flatMap(([environment, port]) => (port === undefined || environment === without ? [] : [port]));
}

/** Only environments that have services listen; `all` to see whether all would fit together. */
function tableOf(routing: Routing, { all = false } = {}): RoutingTable {
  const { version, listeners, services } = routing;
  const environments = new Set(services.map((service) => service.environment));
  const open = listeners.filter(({ environment }) => all || environments.has(environment));
  const engine = [...routing.settings.values()].find((settings) => settings.engine !== undefined)?.engine;
  return {
    version,
    listeners: open.map((listener) => asServed(listener, routing)),
    ...(engine !== undefined && { engine }),
    services: [...services],
  };
}

/** The settings of other environments that name another engine, with this one instead. */
function agreeing(settings: ReadonlyMap<string, ListenerSettings>, engine: ListenerSettings['engine']): [string, ListenerSettings][] {
  return [...settings].flatMap(([environment, each]): [string, ListenerSettings][] =>
    each.engine === undefined || each.engine === engine ? [] : [[environment, { ...each, engine }]],
  );
}

/** What was chosen here, with what the environment's settings say instead or on top. */
function asServed(chosen: Listener, { settings, tlsPorts, services }: Routing): Listener {
  const { tls, address, port: given } = settings.get(chosen.environment) ?? {};
  const listener = { ...chosen, host: address ?? chosen.host, port: given ?? chosen.port };
  const port = tls?.port ?? tlsPorts.get(listener.environment);
  if (tls === undefined || port === undefined) return listener;
  const exposed = services.filter(({ environment }) => environment === listener.environment).flatMap(({ expose }) => expose);
  const hosts = tls.acme?.hosts ?? [...new Set(exposed.map(({ host }) => host))].sort();
  return {
    ...listener,
    tls: { port, certificates: tls.certificates, ...(tls.acme && { acme: { ...tls.acme, hosts } }) },
    redirectToTls: tls.redirect,
  };
}

function keyOf(service: { environment: string; name: string }): string {
  return `service/${service.environment}/${service.name}`;
}

function isSame(left: { environment: string; name: string }, right: { environment: string; name: string }): boolean {
  return left.environment === right.environment && left.name === right.name;
}

/** `staging` of `listener/staging`. */
function nameIn(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}

/** As the store will give it back: without members that are undefined. */
function asJson(value: ServiceRoute | ListenerSettings): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
