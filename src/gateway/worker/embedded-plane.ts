import type { Clock } from '../../effects/clock.ts';
import type { DataPlane, ListenerState } from '../data-plane.ts';
import { type BoundSocket, bindSocket } from '../listening/bound-socket.ts';
import { type PublicAddress, publicAddresses } from '../listening/public-address.ts';
import { createPublicSockets } from '../listening/public-sockets.ts';
import type { Crew } from './crew.ts';
import { mergeReports } from './merge-reports.ts';
import { noPredecessors, type Predecessors } from './predecessors.ts';
import { type Door, internalDoor, publicDoor } from './door.ts';

export interface EmbeddedPlaneDependencies {
  readonly crew: Crew;
  readonly clock: Clock;
  /** Sockets of the process this one takes over from, by `host:port`. */
  readonly inherited?: ReadonlyMap<string, BoundSocket>;
  /** Workers of that process. */
  readonly predecessors?: Predecessors;
  /** Which public addresses another program accepts at: they are none of this plane's, though it serves by their listeners. */
  readonly isFronted?: (address: PublicAddress) => boolean;
}

export interface EmbeddedPlane extends DataPlane {
  /** The sockets it holds, by `host:port`; a successor may be given them. */
  sockets(): ReadonlyMap<string, BoundSocket>;
  listeners(): readonly ListenerState[];
}

/** The data plane of this package: a crew that accepts from sockets which are held here. */
export function createEmbeddedPlane(dependencies: EmbeddedPlaneDependencies): EmbeddedPlane {
  const { crew, clock, inherited = new Map(), predecessors = noPredecessors, isFronted = () => false } = dependencies;
  const held = new Map<string, BoundSocket>();
  const legacy = new Map(inherited);

  const openDoor = async (door: Door, socket: BoundSocket): Promise<void> => {
    try {
      await crew.open(door, socket);
    } catch (error) {
      socket.close();
      throw error;
    }
    held.set(door.address, socket);
  };

  const take = async (host: string, port: number): Promise<{ socket: BoundSocket; port: number }> => {
    const address = `${host}:${port}`;
    const socket = legacy.get(address);
    if (socket === undefined) return bindSocket(host, port);
    legacy.delete(address);
    return { socket, port };
  };

  const publicSockets = createPublicSockets(
    {
      open: async (listener) => {
        const { socket } = await take(listener.host, listener.port);
        await openDoor(publicDoor(listener), socket);
      },
      close: async (listener) => {
        const { address } = publicDoor(listener);
        await crew.close(address);
        held.get(address)?.close();
        held.delete(address);
      },
    },
    clock,
  );

  return {
    sockets: () => held,
    listeners: () => publicSockets.status(),
    start: async ({ host, port }) => {
      const starting = crew.start();
      const bound = await take(host, port).catch(async (error: unknown) => {
        starting.catch(() => {});
        await crew.drain(0);
        throw error;
      });
      await starting;
      await openDoor(internalDoor(host, bound.port), bound.socket);
      return { internalPort: bound.port };
    },
    prepare: async (table, options) => {
      // At a start the table comes first: whoever reaches a port that was inherited, or is known from before, must find his service. Later
      // the ports come first, since only then can a table be refused for them; nobody knows a new one yet.
      const all = table.listeners.flatMap(publicAddresses);
      const addresses = all.filter((address) => !isFronted(address));
      const fronted = new Set(all.filter(isFronted).map((address) => publicDoor(address).address));
      const listeners = options.tolerateTakenPorts ? undefined : await publicSockets.prepare(addresses, options);
      return {
        commit: async () => {
          await crew.putInForce(table);
          await (listeners ?? (await publicSockets.prepare(addresses, options))).commit();
          // What was inherited and is in no table is nobody's any more.
          for (const [address, socket] of legacy) if (!fronted.has(address)) socket.close();
          legacy.clear();
        },
        discard: async () => listeners?.discard(),
      };
    },
    setHealth: (changes) => crew.setHealth(changes),
    report: async () => {
      const [own, ...others] = await Promise.all([crew.report(), predecessors.reports()]);
      return { ...mergeReports([own, ...others.flat()]), listeners: publicSockets.status() };
    },
    drain: async (deadlineMs) => {
      publicSockets.stop();
      // The queue of a socket is lost with its last holder: what a successor was given stays open there.
      for (const socket of held.values()) socket.close();
      await Promise.all([crew.drain(deadlineMs), predecessors.drain(deadlineMs)]);
    },
  };
}
