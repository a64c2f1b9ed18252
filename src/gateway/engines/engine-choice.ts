import type { FoundHaproxy } from '../haproxy/find-haproxy.ts';
import type { RoutingTable } from '../routing-table.ts';

/** What carries the requests. */
export type Engine = 'embedded' | 'haproxy';

/** Decides which engine serves by a table. */
export interface EngineChoice {
  choose(table: RoutingTable): Promise<Engine>;
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
 * Without a word of the table the embedded engine serves. `haproxy`: HAProxy, as long as it is there; otherwise the embedded engine, with a
 * warning. `auto` is the same without the warning.
 */
export function createEngineChoice({ override, find }: EngineChoiceDependencies): EngineChoice {
  const asked = (table: RoutingTable): NonNullable<RoutingTable['engine']> =>
    override === 'auto' || override === 'embedded' || override === 'haproxy' ? override : (table.engine ?? 'embedded');
  let obstacle: string | undefined;
  let warning: string | undefined;

  return {
    choose: async (table) => {
      warning = undefined;
      const wanted = asked(table);
      if (wanted === 'embedded') return 'embedded';
      const found = obstacle === undefined ? await find() : { missing: obstacle };
      if (!('missing' in found)) return 'haproxy';
      if (wanted === 'haproxy') warning = `gateway.engine is haproxy, but the embedded engine serves: ${found.missing}`;
      return 'embedded';
    },
    giveUpHaproxy: (reason) => {
      obstacle = `HAProxy could not be started (${reason})`;
    },
    warnings: () => (warning === undefined ? [] : [warning]),
  };
}
