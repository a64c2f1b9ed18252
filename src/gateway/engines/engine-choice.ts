import type { FoundHaproxy } from '../haproxy/find-haproxy.ts';
import type { RoutingTable } from '../routing-table.ts';

/** What carries the requests. */
export type Engine = 'embedded' | 'haproxy';

/** Decides which engine serves by a table. */
export interface EngineChoice {
  /** Undefined: no table is known yet. */
  choose(table: Pick<RoutingTable, 'engine'> | undefined): Promise<Engine>;
  /** HAProxy could not be started, or does not stay: until the next start of the gateway it is not tried again. */
  giveUpHaproxy(reason: string): void;
  /** Why the engine that was chosen last serves, for people. */
  reason(): string;
  /** Why HAProxy does not serve, though it was asked for by name or is there. */
  warnings(): readonly string[];
}

export interface EngineChoiceDependencies {
  /** Instead of what tables say; anything but the name of an engine is as good as nothing. */
  readonly override: string | undefined;
  /** Looks for the program; asked only when it may be needed. */
  readonly find: () => Promise<FoundHaproxy | { readonly broken: string }>;
  /** Why HAProxy is not to be tried. */
  readonly obstacle?: string | undefined;
  /** Spans are exported, which only the workers do: `auto` is then `embedded`. */
  readonly isTraced?: boolean;
}

const unsaid = 'auto';

/**
 * Without a word of the table it is `auto`: HAProxy where it is there and can be used, else the embedded engine. `haproxy` is the same with a
 * warning when it is not there. What was found is found for as long as this process lives, and `auto` looks but once: a table does not wait for it,
 * and a program that is installed meanwhile changes nothing by itself.
 */
export function createEngineChoice({ override, find, obstacle: known, isTraced }: EngineChoiceDependencies): EngineChoice {
  let obstacle = known;
  let found: Awaited<ReturnType<typeof find>> | undefined;
  let warning: string | undefined;
  let reason = '';

  const because = (engine: Engine, why: string, warns = false): Engine => {
    reason = why;
    warning = warns ? why : undefined;
    return engine;
  };

  return {
    choose: async (table) => {
      const isOverridden = override === 'auto' || override === 'embedded' || override === 'haproxy';
      const wanted = isOverridden ? override : (table?.engine ?? unsaid);
      const by = isOverridden ? 'SLUICE_GATEWAY_ENGINE' : 'gateway.engine';
      if (wanted === 'embedded') return because('embedded', `${by} is embedded`);
      if (wanted === 'auto' && isTraced === true) return because('embedded', 'spans are exported, which HAProxy does not do');
      if (obstacle !== undefined) return because('embedded', `the embedded engine serves instead of HAProxy: ${obstacle}`, true);
      if (found === undefined || ('missing' in found && wanted === 'haproxy')) found = await find();
      if ('broken' in found) return because('embedded', `the embedded engine serves instead of HAProxy: ${found.broken}`, true);
      if ('missing' in found) {
        if (wanted === 'auto') return because('embedded', found.missing);
        return because('embedded', `${by} is haproxy, but the embedded engine serves: ${found.missing}`, true);
      }
      if (wanted === 'haproxy') return because('haproxy', `${by} is haproxy; it is version ${found.version}`);
      return because('haproxy', `HAProxy ${found.version} found as ${found.binary}; gateway.engine: embedded to change`);
    },
    giveUpHaproxy: (why) => {
      obstacle = why;
    },
    reason: () => reason,
    warnings: () => (warning === undefined ? [] : [warning]),
  };
}
