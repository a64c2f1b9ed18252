import { readFileSync, statSync } from 'node:fs';
import type { SecureContext } from 'node:tls';
import { tls } from '../../effects/builtins.ts';
import { toSluiceError } from '../../errors/sluice-error.ts';
import { type Certificate, readCertificate } from './certificate.ts';

/** One place certificates of a listener come from, with what was last found there. */
export interface CertificateSlot {
  /** Same for the same place, whatever it holds. */
  readonly key: string;
  /** Names it is used for: those given, or else those of the certificate. */
  names(): readonly string[];
  /** Undefined until there is a usable one; the last good one stays when its files break. */
  current(): LoadedCertificate | undefined;
  /** Why what is in the files now is not used. */
  problem(): string | undefined;
  /** Looks whether the files have changed, and reads them if so. True when another certificate is in use now. */
  reload(): boolean;
}

export interface LoadedCertificate {
  readonly certificate: Certificate;
  readonly context: SecureContext;
}

export interface SlotFiles {
  readonly certificateFile: string;
  /** The same file when it holds both. */
  readonly keyFile: string;
  /** Given names; empty for those of the certificate. */
  readonly hosts: readonly string[];
  /** Whether it may be missing: it is still to be issued. */
  readonly isAwaited: boolean;
}

/** Reads nothing until `reload` is called. The files are small and local: they are read without leaving the turn. */
export function createCertificateSlot(files: SlotFiles): CertificateSlot {
  const { certificateFile, keyFile, hosts, isAwaited } = files;
  let seen = '';
  let loaded: LoadedCertificate | undefined;
  let problem: string | undefined;

  const read = (): LoadedCertificate => {
    const certificate = readCertificate(readFileSync(certificateFile, 'utf8'), readFileSync(keyFile, 'utf8'), {
      certificate: certificateFile,
      key: keyFile,
    });
    return { certificate, context: tls().createSecureContext(contextOptions(certificate)) };
  };

  return {
    key: [certificateFile, keyFile, ...hosts].join('\n'),
    names: () => (hosts.length > 0 ? hosts : (loaded?.certificate.names ?? [])),
    current: () => loaded,
    problem: () => problem,
    reload: () => {
      const now = `${signatureOf(certificateFile)} ${signatureOf(keyFile)}`;
      if (now === seen) return false;
      seen = now;
      if (isAwaited && signatureOf(certificateFile) === '') return false;
      try {
        loaded = read();
        problem = undefined;
        return true;
      } catch (error) {
        problem = isFileError(error) ? `${error.path ?? certificateFile} cannot be read (${error.code})` : toSluiceError(error).message;
        return false;
      }
    },
  };
}

/** What every context of the gateway has in common: TLS 1.2 with forward secrecy, or 1.3. */
export function contextOptions(certificate: Certificate | undefined) {
  return {
    ...(certificate && { cert: certificate.chain, key: certificate.key }),
    minVersion: 'TLSv1.2' as const,
    // By Mozilla's intermediate configuration (2025).
    ciphers:
      'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:' +
      'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305',
    sessionIdContext: 'sluice',
  };
}

/** Changes whenever the file is written or replaced; empty when there is none. */
function signatureOf(path: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    return `${ino}-${size}-${mtimeMs}-${ctimeMs}`;
  } catch {
    return '';
  }
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
