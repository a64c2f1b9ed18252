import type { Clock } from '../../effects/clock.ts';
import type { DataPlane } from '../data-plane.ts';
import { gatewayFiles } from '../gateway-files.ts';
import { findHaproxy } from '../haproxy/find-haproxy.ts';
import { createHaproxyPlane } from '../haproxy/plane.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import type { GatewayLog } from '../log.ts';
import type { RoutingTable } from '../routing-table.ts';
import { endHaproxyOf } from './left-behind.ts';
import { createEngineChoice, type Engine, type EngineChoice } from './engine-choice.ts';

/** A plane whose sockets can be handed over, by `host:port`. */
export interface HandingPlane extends DataPlane {
  sockets(): ReadonlyMap<string, BoundSocket>;
}

export interface EnginesDependencies {
  /** The table to begin with. */
  readonly lastTable: RoutingTable | undefined;
  /** Of the gateway. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: GatewayLog;
  readonly inherited: ReadonlyMap<string, BoundSocket>;
  /** The process this one takes over from looks after its own HAProxy. */
  readonly takeOver: boolean;
}

const find = (): ReturnType<typeof findHaproxy> => findHaproxy(process.env['PATH']);

/** The engine a gateway process begins with. It stays the only one of this process: another engine is another process. */
export async function openEngines(dependencies: EnginesDependencies): Promise<{
  readonly choice: EngineChoice;
  readonly engine: Engine;
  readonly openPlane: (embedded: () => HandingPlane) => Promise<HandingPlane>;
}> {
  const { lastTable, clock, log, inherited, takeOver } = dependencies;
  const folder = gatewayFiles(dependencies.folder).haproxy;
  const choice = createEngineChoice({ override: process.env['SLUICE_GATEWAY_ENGINE'], find });
  const wanted = lastTable === undefined ? 'embedded' : await choice.choose(lastTable, undefined);
  const found = wanted === 'haproxy' ? await find() : undefined;
  const binary = found !== undefined && 'binary' in found ? found.binary : undefined;
  // One whose main process was killed serves on, at the same ports.
  if (binary === undefined && !takeOver) await endHaproxyOf(dependencies.folder, clock);
  return {
    choice,
    engine: binary === undefined ? 'embedded' : 'haproxy',
    openPlane: async (embedded) => (binary === undefined ? embedded() : createHaproxyPlane({ binary, folder, clock, log, inherited })),
  };
}
