import type { Clock } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import type { GatewayLog } from '../log.ts';
import type { RoutingTable } from '../routing-table.ts';
import { createAcmeKeeper } from './acme/acme-keeper.ts';
import type { CertificateOrder, Patience } from './acme/issue.ts';
import { createServingCertificates } from './serving-certificates.ts';
import { rotateTicketKeys } from './ticket-keys.ts';

/** What one process of a gateway does for the encryption of all: automatic certificates, ticket keys, and what to warn of. */
export interface TlsUpkeep {
  follow(table: RoutingTable): void;
  warnings(): readonly string[];
  stop(): void;
}

export interface TlsUpkeepDependencies {
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: GatewayLog;
  /** With certificate authorities. */
  readonly patience?: Patience;
}

const ticketLookMs = 60_000;

/** Needs nothing but its folder: it goes on while the control plane is down. */
export function createTlsUpkeep({ folder, clock, random, log, patience }: TlsUpkeepDependencies): TlsUpkeep {
  const life = new AbortController();
  // Loaded when it is needed: the ACME client is half of what a gateway would have to load to start.
  const issue = async (order: CertificateOrder): Promise<void> => {
    const { issueCertificate } = await import('./acme/issue.ts');
    await issueCertificate(folder, order, patience);
  };
  const keeper = createAcmeKeeper({ folder, clock, random, log, issue });
  const certificates = createServingCertificates(folder, clock, log);
  let isRunning = false;

  const run = async (): Promise<void> => {
    for (;;) {
      await rotateTicketKeys(folder, clock.now(), random).catch((error: unknown) =>
        log.error({ reason: String(error) }, 'the keys of session tickets could not be written'),
      );
      await clock.sleep(ticketLookMs, life.signal);
    }
  };

  return {
    follow: (table) => {
      const listeners = table.listeners.filter(({ tls }) => tls !== undefined);
      keeper.follow(listeners);
      certificates.follow(table);
      if (isRunning || listeners.length === 0) return;
      isRunning = true;
      // Both end only with `life`, by rejection.
      run().catch(() => {});
      certificates.watch(() => {}, life.signal).catch(() => {});
    },
    warnings: () => [...keeper.warnings(), ...certificates.warnings(clock.now())],
    stop: () => {
      keeper.stop();
      life.abort(new Error('stopped'));
    },
  };
}
