import type { FoundHaproxy } from '../haproxy/find-haproxy.ts';
import { unsupportedByHaproxy } from '../haproxy/unsupported.ts';
import type { RoutingTable } from '../routing-table.ts';

/** What carries the requests. */
export type Engine = 'embedded' | 'haproxy';

/** What serves now, and by which table. */
interface Served {
  readonly engine: Engine;
  readonly table: RoutingTable | undefined;
}

/** Decides which engine serves by a table. */
export interface EngineChoice {
  /** `served`: undefined at a start. */
  choose(table: RoutingTable, served: Served | undefined): Promise<Engine>;
  /** HAProxy could not be started: until the next start of the gateway it is not tried again. */
  giveUpHaproxy(reason: string): void;
  /** Why the engine that was asked for by name does not serve. */
  warnings(): readonly string[];
}

export interface EngineChoiceDependencies {
  /** Instead of what tables say; anything but the name of an engine is as good as nothing. */
  readonly override: string | undefined;
  /** Looks for the program; asked only when it may be needed. */
  readonly find: () => Promise<FoundHaproxy>;
}

/**
 * Without a word of the table the embedded engine serves: it alone counts requests by release, which evidence, metrics and logs are made of.
 * `haproxy`: HAProxy, as long as it is there and can do all the table asks for; otherwise the embedded engine, with a warning. `auto` is the
 * same without the warning, and a gateway that had to do without HAProxy for a table does not go back to it while it runs: what one
 * rollout needs, the next will.
 */
export function createEngineChoice({ override, find }: EngineChoiceDependencies): EngineChoice {
  const asked = (table: RoutingTable): NonNullable<RoutingTable['engine']> =>
    override === 'auto' || override === 'embedded' || override === 'haproxy' ? override : (table.engine ?? 'embedded');
  let obstacle: string | undefined;
  let warning: string | undefined;

  return {
    choose: async (table, served) => {
      warning = undefined;
      const wanted = asked(table);
      if (wanted === 'embedded') return 'embedded';
      const stays = served?.engine === 'embedded' && served.table !== undefined && asked(served.table) === 'auto';
      if (wanted === 'auto' && stays) return 'embedded';
      const found = obstacle === undefined ? await find() : { missing: obstacle };
      const reasons = 'missing' in found ? [found.missing] : unsupportedByHaproxy(table);
      if (reasons.length === 0) return 'haproxy';
      if (wanted === 'haproxy') warning = `gateway.engine is haproxy, but the embedded engine serves: ${reasons.join('; ')}`;
      return 'embedded';
    },
    giveUpHaproxy: (reason) => {
      obstacle = `HAProxy could not be started (${reason})`;
    },
    warnings: () => (warning === undefined ? [] : [warning]),
  };
}
