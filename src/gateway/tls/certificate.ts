import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { tls } from '../../effects/builtins.ts';
import { SluiceError, sluiceError } from '../../errors/sluice-error.ts';

/** A chain in PEM with its key, checked to belong together. */
export interface Certificate {
  /** Chain, the server's own certificate first. */
  readonly chain: string;
  readonly key: string;
  /** Lower case; a wildcard as `*.example.com`. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
}

/** Where the PEM texts come from, for messages. */
interface Places {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Throws `tls_certificate_invalid` naming the place when a text is no PEM, when the key is encrypted or does not fit, or when TLS cannot
 * use them. The messages hold nothing of the texts. Whether it is valid now is the caller's question.
 */
export function readCertificate(chain: string, key: string, places: Places): Certificate {
  const parsed = firstOf(chain, places);
  const privateKey = parse(places.key, 'it holds no private key in PEM without a passphrase', () => createPrivateKey(key));
  if (!parsed.checkPrivateKey(privateKey)) throw invalid(places.key, `the key does not belong to the certificate ${places.certificate}`);
  parse(places.certificate, 'TLS cannot use the certificate with its key', () => tls().createSecureContext({ cert: chain, key }));
  refuseWeakKey(privateKey, places.key);
  return { chain, key, ...factsOf(parsed) };
}

/** As `readCertificate` where the key is not known. */
export function readChain(chain: string, places: Places): Omit<Certificate, 'key'> {
  return { chain, ...factsOf(firstOf(chain, places)) };
}

function firstOf(chain: string, places: Places): X509Certificate {
  return parse(places.certificate, 'it holds no certificate in PEM', () => new X509Certificate(chain));
}

function factsOf(parsed: X509Certificate): Pick<Certificate, 'names' | 'validFrom' | 'validTo'> {
  return { names: namesOf(parsed), validFrom: Date.parse(parsed.validFrom), validTo: Date.parse(parsed.validTo) };
}

function parse<Value>(place: string, reason: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    // The cause may quote the text, so it is not kept.
    throw invalid(place, reason);
  }
}

function refuseWeakKey(key: KeyObject, place: string): void {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (key.asymmetricKeyType === 'rsa' && bits !== undefined && bits < 2_048) throw invalid(place, `an RSA key of ${bits} bits is too weak`);
}

function namesOf(certificate: X509Certificate): readonly string[] {
  const names = (certificate.subjectAltName ?? '').split(', ').flatMap((entry) => {
    const [type, name] = [entry.slice(0, entry.indexOf(':')), entry.slice(entry.indexOf(':') + 1)];
    return type === 'DNS' || type === 'IP Address' ? [name.toLowerCase()] : [];
  });
  return [...new Set(names)];
}

function invalid(place: string, reason: string): SluiceError {
  return sluiceError('tls_certificate_invalid', { place, reason });
}

/** Whether `host` (lower case, no port) is one of the names. A wildcard stands for exactly one label (RFC 6125 section 6.4.3). */
export function covers(names: readonly string[], host: string): boolean {
  const dot = host.indexOf('.');
  const wildcard = dot > 0 ? `*${host.slice(dot)}` : undefined;
  return names.some((name) => name === host || name === wildcard);
}
