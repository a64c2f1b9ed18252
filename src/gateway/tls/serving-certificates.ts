import type { Clock } from '../../effects/clock.ts';
import type { GatewayLog } from '../log.ts';
import type { ListenerRoute, RoutingTable } from '../routing-table.ts';
import { createListenerCertificates, type ListenerCertificates } from './listener-certificates.ts';
import { readTicketKeys } from './ticket-keys.ts';

/** The certificates a process serves with, by environment: as the table wants them, and as their files are now. */
export interface ServingCertificates {
  /** Empty until a table gives the environment some. */
  of(environment: string): ListenerCertificates;
  ticketKeys(): Buffer | undefined;
  follow(table: RoutingTable): void;
  /** Calls `changed` whenever something else is in use, until the signal. */
  watch(changed: () => void, signal: AbortSignal): Promise<void>;
  /** `now`: milliseconds since the epoch. */
  warnings(now: number): readonly string[];
}

/** How soon a certificate that was replaced is in use. */
const lookMs = 2_000;

/** `folder`: of the gateway. */
export function createServingCertificates(folder: string, clock: Clock, log: GatewayLog): ServingCertificates {
  const environments = new Map<string, { certificates: ListenerCertificates; wanted: string }>();
  let keys = readTicketKeys(folder);

  const entryOf = (environment: string) => {
    const known = environments.get(environment);
    if (known !== undefined) return known;
    const made = { certificates: createListenerCertificates(folder), wanted: '' };
    environments.set(environment, made);
    return made;
  };

  const followOne = ({ environment, tls }: ListenerRoute): void => {
    const wanted = JSON.stringify(tls) ?? '';
    const entry = entryOf(environment);
    if (tls === undefined || entry.wanted === wanted) return;
    entry.wanted = wanted;
    entry.certificates.follow(tls);
  };

  const look = (): boolean => {
    let hasChanged = false;
    for (const [environment, { certificates }] of environments) {
      if (!certificates.reload()) continue;
      hasChanged = true;
      log.info({ environment }, 'certificates read anew');
    }
    const now = readTicketKeys(folder);
    if (now === undefined || keys?.equals(now) === true) return hasChanged;
    keys = now;
    return true;
  };

  return {
    of: (environment) => entryOf(environment).certificates,
    ticketKeys: () => keys,
    follow: ({ listeners }) => {
      for (const listener of listeners) if (listener.tls !== undefined) followOne(listener);
    },
    watch: async (changed, signal) => {
      for (;;) {
        await clock.sleep(lookMs, signal);
        if (look()) changed();
      }
    },
    warnings: (now) => Array.from(environments, ([, { certificates }]) => certificates.warnings(now)).flat(),
  };
}
