import type { Clock } from '../../effects/clock.ts';
import type { DataPlane } from '../data-plane.ts';
import { gatewayFiles } from '../gateway-files.ts';
import { findHaproxy } from '../haproxy/find-haproxy.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import type { GatewayLog } from '../log.ts';
import type { AccessLog } from '../measuring/access-log.ts';
import type { WorkerCounts } from '../measuring/meters.ts';
import type { RoutingTable } from '../routing-table.ts';
import type { Crew } from '../worker/crew.ts';
import { createEmbeddedPlane } from '../worker/embedded-plane.ts';
import type { Predecessors } from '../worker/predecessors.ts';
import { endHaproxyOf } from './left-behind.ts';
import { createEngineChoice, type Engine, type EngineChoice } from './engine-choice.ts';

/** A plane whose sockets can be handed over, by `host:port`. */
export interface HandingPlane extends DataPlane {
  sockets(): ReadonlyMap<string, BoundSocket>;
  /** What was counted beside the workers. */
  counts?(): Promise<WorkerCounts>;
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
  /** What serves in the processes of this package. */
  readonly crew: Crew;
  readonly predecessors: Predecessors | undefined;
  /** For what workers do not see. */
  readonly openAccessLog: () => AccessLog | undefined;
  /** Spans are exported: by the workers alone. */
  readonly isTraced: boolean;
}

const find = (): ReturnType<typeof findHaproxy> => findHaproxy(process.env['PATH']);

/** The engine a gateway process begins with. It stays the only one of this process: another engine is another process. */
export async function openEngines(dependencies: EnginesDependencies): Promise<{
  readonly choice: EngineChoice;
  readonly engine: Engine;
  readonly openPlane: () => Promise<HandingPlane>;
}> {
  const { lastTable, clock, log, inherited, takeOver, crew, predecessors, openAccessLog, isTraced } = dependencies;
  const folder = gatewayFiles(dependencies.folder).haproxy;
  const choice = createEngineChoice({ override: process.env['SLUICE_GATEWAY_ENGINE'], find });
  const wanted = lastTable === undefined ? 'embedded' : await choice.choose(lastTable);
  const found = wanted === 'haproxy' ? await find() : undefined;
  const binary = found !== undefined && 'binary' in found ? found.binary : undefined;
  // One whose main process was killed serves on, at the same ports.
  if (binary === undefined && !takeOver) await endHaproxyOf(dependencies.folder, clock);
  return {
    choice,
    engine: binary === undefined ? 'embedded' : 'haproxy',
    openPlane: async () => {
      const parts = { crew, clock, inherited, ...(predecessors && { predecessors }) };
      if (binary === undefined) return createEmbeddedPlane(parts);
      const { createHaproxyPlane } = await import('../haproxy/plane.ts');
      return createHaproxyPlane({ ...parts, binary, folder, log, accessLog: openAccessLog(), isTraced });
    },
  };
}
