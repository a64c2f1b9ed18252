import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../effects/clock.ts';
import type { Random } from '../../../effects/random.ts';
import { toSluiceError } from '../../../errors/sluice-error.ts';
import type { GatewayLog } from '../../log.ts';
import type { ListenerRoute } from '../../routing-table.ts';
import { type Certificate, covers, readCertificate } from '../certificate.ts';
import { issuedFile } from './acme-files.ts';
import type { CertificateOrder } from './issue.ts';
import { backoffMs, renewalAt } from './renewal.ts';

/** Sees to it that every host that wants one has an automatic certificate that is not old. For one process of a gateway. */
export interface AcmeKeeper {
  /** From now on these listeners' hosts are looked after. */
  follow(listeners: readonly ListenerRoute[]): void;
  /** What could not be got, in words. */
  warnings(): readonly string[];
  /** Begins nothing more. */
  stop(): void;
}

export interface AcmeKeeperDependencies {
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: GatewayLog;
  /** Leaves the certificate in `issuedFile`. Throws SluiceErrors. */
  readonly issue: (order: CertificateOrder) => Promise<void>;
}

interface Wanted extends CertificateOrder {
  failures: number;
  nextTry: number;
  problem: string | undefined;
  readonly draw: number;
}

/** Between two looks at most: the wall clock may have been set, a file removed. */
const longestSleepMs = 3_600_000;

export function createAcmeKeeper({ folder, clock, random, log, issue }: AcmeKeeperDependencies): AcmeKeeper {
  let wanted = new Map<string, Wanted>();
  let wake = new AbortController();
  const life = new AbortController();
  let isRunning = false;

  const dueAt = (each: Wanted): number => {
    const certificate = issuedCertificate(folder, each);
    const due = certificate === undefined ? Number.NEGATIVE_INFINITY : renewalAt(certificate, each.draw);
    return Math.max(due, each.nextTry);
  };

  const attempt = async (each: Wanted): Promise<void> => {
    try {
      await issue(each);
      Object.assign(each, { failures: 0, nextTry: 0, problem: undefined });
      log.info({ host: each.host }, 'certificate issued');
    } catch (thrown) {
      const { message } = toSluiceError(thrown);
      each.failures += 1;
      each.problem = message;
      each.nextTry = clock.now() + backoffMs(each.failures, random.next());
      log.warn({ host: each.host, reason: message, failures: each.failures }, 'no certificate could be got');
    }
  };

  const run = async (): Promise<void> => {
    await rm(join(folder, 'acme', 'challenges'), { recursive: true, force: true });
    while (!life.signal.aborted) {
      const due = [...wanted.values()].find((each) => dueAt(each) <= clock.now());
      if (due !== undefined) {
        await attempt(due);
        continue;
      }
      const next = Math.min(...Array.from(wanted.values(), dueAt));
      wake = new AbortController();
      await clock.sleep(Math.max(0, Math.min(next - clock.now(), longestSleepMs)), wake.signal).catch(() => {});
    }
  };

  return {
    follow: (listeners) => {
      const orders = listeners.flatMap(ordersOf);
      const known = wanted;
      wanted = new Map(
        orders.map((order) => {
          const key = JSON.stringify([order.directoryUrl, order.host]);
          const { failures = 0, nextTry = 0, problem, draw = random.next() } = known.get(key) ?? {};
          return [key, { ...order, failures, nextTry, problem, draw }];
        }),
      );
      wake.abort();
      if (isRunning || wanted.size === 0) return;
      isRunning = true;
      run().catch((error: unknown) => log.error({ reason: String(error) }, 'automatic certificates are not looked after any more'));
    },
    warnings: () =>
      [...wanted.values()].flatMap((each) => {
        if (each.problem !== undefined) return [each.problem];
        return issuedCertificate(folder, each) === undefined ? [`the certificate for ${each.host} is still to be issued`] : [];
      }),
    stop: () => {
      life.abort();
      wake.abort();
    },
  };
}

/** Hosts that a given certificate covers need no other. */
function ordersOf({ tls }: ListenerRoute): readonly CertificateOrder[] {
  const acme = tls?.acme;
  if (tls === undefined || acme === undefined) return [];
  const given = tls.certificates.flatMap(({ hosts, certificateFile, keyFile }) =>
    hosts.length > 0 ? hosts : (readFiles(certificateFile, keyFile)?.names ?? []),
  );
  const { directoryUrl, email, caFile } = acme;
  return [...new Set(acme.hosts)].filter((host) => !covers(given, host)).map((host) => ({ host, directoryUrl, email, caFile }));
}

function issuedCertificate(folder: string, { directoryUrl, host }: CertificateOrder): Certificate | undefined {
  const file = issuedFile(folder, directoryUrl, host);
  return readFiles(file, file);
}

function readFiles(certificateFile: string, keyFile: string): Certificate | undefined {
  try {
    const places = { certificate: certificateFile, key: keyFile };
    return readCertificate(readFileSync(certificateFile, 'utf8'), readFileSync(keyFile, 'utf8'), places);
  } catch {
    return undefined;
  }
}
