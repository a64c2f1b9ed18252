import { createPrivateKey, webcrypto } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate authority for one test, its files in a folder. */
export interface TestAuthority {
  /** File for `curl --cacert` and the like. */
  readonly caFile: string;
  readonly ca: string;
  /** A certificate for the names with a key of its own; file names start with `label`. */
  issue(label: string, names: readonly string[], days?: number): Promise<{ certificateFile: string; keyFile: string }>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const day = 86_400_000;
/** Valid from a moment ago, as the clocks of two processes may differ by a little. */
const leewayMs = 60_000;

export async function createTestAuthority(folder: string): Promise<TestAuthority> {
  await mkdir(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  const keys = await newKeys();
  const authority = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=Test Authority',
    ...lasting(30),
    keys,
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true, undefined, true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)],
  });
  const ca = authority.toString('pem');
  await writeFile(at('ca.pem'), `${ca}\n`);
  let serial = 1;
  return {
    caFile: at('ca.pem'),
    ca,
    issue: async (label, names, days = 30) => {
      serial += 1;
      const own = await newKeys();
      const certificate = await X509CertificateGenerator.create({
        serialNumber: serial.toString(16).padStart(2, '0'),
        subject: `CN=${names[0] ?? label}`,
        issuer: authority.subject,
        ...lasting(days),
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [new SubjectAlternativeNameExtension(names.map((value) => ({ type: /^[\d.]+$/.test(value) ? 'ip' : 'dns', value })))],
      });
      const [keyFile, certificateFile] = [at(`${label}.key`), at(`${label}.pem`)];
      await writeFile(certificateFile, `${certificate.toString('pem')}\n`);
      const key = createPrivateKey({
        key: Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)),
        format: 'der',
        type: 'pkcs8',
      });
      await writeFile(keyFile, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
      return { certificateFile, keyFile };
    },
  };
}

function lasting(days: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - leewayMs), notAfter: new Date(Date.now() + days * day) };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}
