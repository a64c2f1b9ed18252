import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { covers, readCertificate } from './certificate.ts';
import { createListenerCertificates } from './listener-certificates.ts';
import { createTestAuthority, type TestAuthority } from './testing/authority.ts';

let folder: string;
let authority: TestAuthority;
let shop: { certificateFile: string; keyFile: string };
let wild: { certificateFile: string; keyFile: string };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
  authority = await createTestAuthority(folder);
  shop = await authority.issue('shop', ['shop.test', 'www.shop.test']);
  wild = await authority.issue('wild', ['*.apps.test']);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const selectedNames = (names: readonly string[] | undefined) => names?.join(' ');

test('a name gets its own certificate, then that of its wildcard, then the first one', () => {
  const certificates = createListenerCertificates(folder);
  certificates.follow({
    port: 1,
    certificates: [
      { ...shop, hosts: [] },
      { ...wild, hosts: [] },
    ],
  });
  const of = (host?: string) => selectedNames(certificates.select(host)?.certificate.names);
  expect(of('WWW.shop.test')).toBe('shop.test www.shop.test');
  expect(of('a.apps.test')).toBe('*.apps.test');
  expect(of('b.a.apps.test')).toBe('shop.test www.shop.test');
  expect(of('apps.test')).toBe('shop.test www.shop.test');
  expect(of()).toBe('shop.test www.shop.test');
  expect(certificates.sharesConnection('shop.test', 'www.shop.test')).toBe(true);
  expect(certificates.sharesConnection('shop.test', 'a.apps.test')).toBe(false);
});

test('a certificate that is replaced is taken up, and a broken replacement leaves the one from before in use', async () => {
  const [certificateFile, keyFile] = [join(folder, 'live.pem'), join(folder, 'live.key')];
  await copyFile(shop.certificateFile, certificateFile);
  await copyFile(shop.keyFile, keyFile);
  const certificates = createListenerCertificates(folder);
  certificates.follow({ port: 1, certificates: [{ certificateFile, keyFile, hosts: [] }] });
  expect(certificates.reload()).toBe(false);

  await copyFile(wild.certificateFile, certificateFile);
  expect(certificates.reload()).toBe(false);
  expect(certificates.select(undefined)?.certificate.names).toEqual(['shop.test', 'www.shop.test']);
  expect(certificates.warnings(Date.now()).join('\n')).toContain('does not belong to the certificate');

  await copyFile(wild.keyFile, keyFile);
  expect(certificates.reload()).toBe(true);
  expect(certificates.select(undefined)?.certificate.names).toEqual(['*.apps.test']);
  expect(certificates.warnings(Date.now())).toEqual([]);
});

test('what is missing, expired, soon to expire or for another name is told', async () => {
  const certificates = createListenerCertificates(folder);
  const absent = { certificateFile: join(folder, 'absent.pem'), keyFile: join(folder, 'absent.key'), hosts: [] };
  certificates.follow({ port: 1, certificates: [absent, { ...shop, hosts: ['other.test'] }] });
  const day = 24 * 3_600_000;
  const told = (days: number) => certificates.warnings(Date.now() + days * day).join('\n');
  expect(told(0)).toContain('absent.pem cannot be read (ENOENT)');
  expect(told(0)).toContain('is not for other.test');
  expect(told(0)).not.toContain('expire');
  expect(told(24)).toContain('expires in 6 days');
  expect(told(31)).toContain('has expired');
  expect(certificates.select('other.test')?.certificate.names).toContain('shop.test');
});

test('an error about a certificate names its place and holds nothing of the key', async () => {
  const [chain, key, otherKey] = await Promise.all(
    [shop.certificateFile, shop.keyFile, wild.keyFile].map((file) => readFile(file, 'utf8')),
  );
  const places = { certificate: 'tls/shop.pem', key: 'tls/shop.key' };
  const failure = (certificate: string | undefined, keyText: string | undefined): string => {
    try {
      readCertificate(certificate ?? '', keyText ?? '', places);
      return '';
    } catch (error) {
      return String(error);
    }
  };
  expect(failure(chain, otherKey)).toContain('tls/shop.key');
  expect(failure(chain, otherKey)).toContain('does not belong to the certificate tls/shop.pem');
  const canary = 'canary-7f3a';
  for (const text of [failure(canary, key), failure(chain, canary), failure(chain, key?.replace('PRIVATE', canary))]) {
    expect(text).toContain('cannot be used');
    expect(text).not.toContain(canary);
  }
});

test('a wildcard covers one label and no other', () => {
  expect(covers(['*.a.test'], 'x.a.test')).toBe(true);
  expect(covers(['*.a.test'], 'a.test')).toBe(false);
  expect(covers(['*.a.test'], 'y.x.a.test')).toBe(false);
});
