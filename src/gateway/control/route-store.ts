import { z } from 'zod';
import { type Json, jsonEquals } from '../../digest/json.ts';
import { firstFreePort } from '../../effects/ports.ts';
import { SluiceError } from '../../errors/sluice-error.ts';
import type { Store, Write } from '../../store/store.ts';
import { parseTable } from '../table/check-table.ts';
import { type RoutingTable, type ServiceRoute, serviceRoute } from '../routing-table.ts';

/**
 * The desired routing, in the store's collection `routing`: `service/<environment>/<name>` one route each, `listener/<environment>` the public
 * port for good, `table` the version. A gateway that lost everything is told it again from here.
 */
export interface RouteStore {
  table(): Promise<RoutingTable>;
  /** Throws `gateway_table_invalid` when the route contradicts another; nothing is stored then. */
  put(route: ServiceRoute): Promise<void>;
  remove(service: { environment: string; name: string }): Promise<void>;
  /** Host and port of an environment's public listener; chosen the first time, remembered for good. */
  listener(environment: string): Promise<Listener>;
  /** Chooses another port for an environment whose port another program took. */
  moveListener(environment: string): Promise<Listener>;
  /** Makes the table newer than `version`, for a gateway that remembers more than this store. */
  raiseAbove(version: number): Promise<void>;
}

type Listener = RoutingTable['listeners'][number];

const collection = 'routing';
const publicHost = '127.0.0.1';
const firstPublicPort = 7_080;
const listenerDocument = z.object({ host: z.string(), port: z.number().int() });
const versionDocument = z.object({ version: z.number().int() });
/** Tries of a change that loses against another control plane's. */
const conflictTries = 5;

interface Routing {
  readonly version: number;
  /** Of the document `table`; 0 before the first. */
  readonly revision: number;
  readonly listeners: readonly Listener[];
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

  const read = async (): Promise<Routing> => {
    const documents = await store.list(collection);
    const under = (prefix: string): typeof documents => documents.filter(({ key }) => key.startsWith(prefix));
    const own = documents.find(({ key }) => key === 'table');
    return {
      version: own ? versionDocument.parse(own.value).version : 0,
      revision: own?.version ?? 0,
      listeners: under('listener/').map(({ key, value }) => {
        const { host, port } = listenerDocument.parse(value);
        return { environment: key.slice('listener/'.length), host, port };
      }),
      services: under('service/').map(({ value }) => serviceRoute.parse(value)),
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
          await store.transact([...writes, versionWrite(routing, version ?? routing.version + 1)]);
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
      return known ? { writes: [], result: known } : chooseListener(environment, routing, firstPublicPort);
    });

  return {
    table: async () => tableOf(await read()),
    put: async (route) => {
      await listener(route.environment);
      await change(async (routing) => {
        const known = routing.services.find((each) => isSame(each, route));
        if (known && jsonEquals(asJson(known), asJson(route))) return { writes: [], result: undefined };
        parseTable(tableOf({ ...routing, services: [...routing.services.filter((each) => each !== known), route] }));
        return { writes: [{ operation: 'put', collection, key: keyOf(route), value: asJson(route) }], result: undefined };
      });
    },
    remove: (service) =>
      change(async (routing) => {
        const isKnown = routing.services.some((each) => isSame(each, service));
        return { writes: isKnown ? [{ operation: 'delete', collection, key: keyOf(service) }] : [], result: undefined };
      }),
    listener,
    moveListener: (environment) =>
      change((routing) => {
        const known = routing.listeners.find((each) => each.environment === environment);
        return chooseListener(environment, routing, (known?.port ?? firstPublicPort - 1) + 1);
      }),
    raiseAbove: (version) =>
      change(async (routing) =>
        routing.version > version ? { writes: [], result: undefined } : { writes: [], result: undefined, version: version + 1 },
      ),
  };
}

function versionWrite(routing: Routing, version: number): Write {
  return { operation: 'put', collection, key: 'table', value: { version }, ifVersion: routing.revision };
}

async function chooseListener(environment: string, routing: Routing, from: number): Promise<Decision<Listener>> {
  const reserved = new Set(routing.listeners.filter((each) => each.environment !== environment).map(({ port }) => port));
  let port = await firstFreePort(publicHost, from);
  while (reserved.has(port)) port = await firstFreePort(publicHost, port + 1);
  const value = { host: publicHost, port };
  return { writes: [{ operation: 'put', collection, key: `listener/${environment}`, value }], result: { environment, ...value } };
}

/** Only environments that have services listen. */
function tableOf({ version, listeners, services }: Routing): RoutingTable {
  const environments = new Set(services.map((service) => service.environment));
  return { version, listeners: listeners.filter(({ environment }) => environments.has(environment)), services: [...services] };
}

function keyOf(service: { environment: string; name: string }): string {
  return `service/${service.environment}/${service.name}`;
}

function isSame(left: { environment: string; name: string }, right: { environment: string; name: string }): boolean {
  return left.environment === right.environment && left.name === right.name;
}

/** As the store will give it back: without members that are undefined. */
function asJson(route: ServiceRoute): Json {
  return JSON.parse(JSON.stringify(route)) as Json;
}
