import type { ListenerRoute } from '../routing-table.ts';
import { issuedFile } from './acme/acme-files.ts';
import { covers } from './certificate.ts';
import { type CertificateSlot, createCertificateSlot, type LoadedCertificate, type SlotFiles } from './certificate-slot.ts';

/** The certificates of one listener, and which of them a name gets. */
export interface ListenerCertificates {
  /**
   * What a client that asks for `host` gets: the certificate of exactly this name, of its wildcard, or else the first there is. Undefined
   * when there is none at all. `host` undefined: the client named none.
   */
  select(host: string | undefined): Selected | undefined;
  /** Whether a connection that was opened for `opened` may carry requests for `host`: it got the certificate `host` would get. */
  sharesConnection(opened: string | undefined, host: string): boolean;
  /** Puts the listener's list in force; what is in use of unchanged places stays. */
  follow(tls: NonNullable<ListenerRoute['tls']>): void;
  /** Reads what has changed. True when something else is in use now. */
  reload(): boolean;
  /** What somebody should look at, in words. `now`: milliseconds since the epoch. */
  warnings(now: number): readonly string[];
}

export interface Selected extends LoadedCertificate {
  /** Same for the same place of certificates. */
  readonly slot: string;
}

const day = 24 * 3_600_000;
/** Before its end, or a quarter of its life if that is shorter. */
const warnBeforeMs = 21 * day;

/** `folder`: where certificates that were issued automatically are. */
export function createListenerCertificates(folder: string): ListenerCertificates {
  let slots: readonly CertificateSlot[] = [];
  let exact = new Map<string, CertificateSlot>();
  let wildcards = new Map<string, CertificateSlot>();
  let fallback: CertificateSlot | undefined;

  const index = (): void => {
    exact = new Map();
    wildcards = new Map();
    fallback = slots.find((slot) => slot.current() !== undefined);
    for (const slot of slots) {
      if (slot.current() === undefined) continue;
      for (const name of slot.names()) {
        const names = name.startsWith('*.') ? wildcards : exact;
        const key = name.startsWith('*.') ? name.slice(1) : name;
        if (!names.has(key)) names.set(key, slot);
      }
    }
  };

  const slotOf = (host: string | undefined): CertificateSlot | undefined => {
    if (host === undefined) return fallback;
    const name = host.toLowerCase();
    const dot = name.indexOf('.');
    return exact.get(name) ?? (dot > 0 ? wildcards.get(name.slice(dot)) : undefined) ?? fallback;
  };

  const reload = (): boolean => {
    let hasChanged = false;
    for (const slot of slots) hasChanged = slot.reload() || hasChanged;
    if (hasChanged) index();
    return hasChanged;
  };

  return {
    select: (host) => {
      const slot = slotOf(host);
      const loaded = slot?.current();
      return slot && loaded && { slot: slot.key, ...loaded };
    },
    sharesConnection: (opened, host) => slotOf(opened) === slotOf(host),
    follow: (tls) => {
      const known = new Map(slots.map((slot) => [slot.key, slot]));
      slots = placesOf(tls, folder).map((files) => {
        const made = createCertificateSlot(files);
        return known.get(made.key) ?? made;
      });
      for (const slot of slots) slot.reload();
      index();
    },
    reload,
    warnings: (now) => slots.flatMap((slot) => warningsOf(slot, now)),
  };
}

/** Given certificates come first, so one of them is what a client without a name gets; a host they cover is not awaited from elsewhere. */
function placesOf(tls: NonNullable<ListenerRoute['tls']>, folder: string): readonly SlotFiles[] {
  const given = tls.certificates.map((each) => ({ ...each, isAwaited: false }));
  const issued = (tls.acme?.hosts ?? []).map((host) => {
    const file = issuedFile(folder, tls.acme?.directoryUrl ?? '', host);
    return { certificateFile: file, keyFile: file, hosts: [], isAwaited: true };
  });
  return [...given, ...issued];
}

function warningsOf(slot: CertificateSlot, now: number): readonly string[] {
  const problem = slot.problem();
  const certificate = slot.current()?.certificate;
  const found: string[] = [];
  if (problem !== undefined) found.push(certificate ? `${problem} The one from before stays in use.` : problem);
  if (certificate === undefined) return found;
  const { names, validFrom, validTo } = certificate;
  const soon = Math.min(warnBeforeMs, (validTo - validFrom) / 4);
  const whose = `the certificate for ${names.slice(0, 3).join(', ') || 'no name'}`;
  const until = new Date(validTo).toISOString();
  if (now > validTo) found.push(`${whose} has expired (${until})`);
  else if (now < validFrom) found.push(`${whose} is not valid before ${new Date(validFrom).toISOString()}`);
  else if (now > validTo - soon) found.push(`${whose} expires in ${Math.ceil((validTo - now) / day)} days (${until})`);
  const missing = slot.names().filter((name) => !covers(names, name));
  if (missing.length > 0) found.push(`${whose} is not for ${missing.join(', ')}`);
  return found;
}
