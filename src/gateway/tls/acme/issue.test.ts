import { X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../effects/clock.ts';
import { until } from '../../../testing/conditions.ts';
import { describeWith } from '../../../testing/requires.ts';
import { ask } from '../../testing/raw-client.ts';
import { type Pebble, startPebble } from '../testing/pebble.ts';
import { createTlsRig, type TlsRig } from '../testing/tls-rig.ts';
import { issuedFile } from './acme-files.ts';

const year = 365 * 24 * 3_600_000;
let rig: TlsRig | undefined;
let pebble: Pebble | undefined;
let aheadMs = 0;

afterEach(async () => {
  aheadMs = 0;
  await rig?.close();
  await pebble?.stop();
});

/** The system's, some years ahead when the test says so. */
const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };

interface Shown {
  readonly issuer: string;
  readonly names: string;
  readonly serial: string;
}

/** What the gateway shows a client that asks for `host`; undefined when it has nothing to show. */
function shownFor(host: string, port: number): Promise<Shown | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', servername: host, rejectUnauthorized: false });
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      resolve(certificate && { issuer: certificate.issuer, names: certificate.subjectAltName ?? '', serial: certificate.serialNumber });
    });
    socket.once('error', () => resolve(undefined));
  });
}

describeWith('pebble', 'automatic certificates', () => {
  test('one is got from an ACME server by http-01, shown, renewed in time, and kept when the server is gone', async () => {
    rig = await createTlsRig((_req, res) => res.end('instance'), undefined, clock);
    const { port, plainPort, folder, gateway } = rig;
    pebble = await startPebble(join(folder, 'pebble'), plainPort);
    const { directoryUrl, caFile } = pebble;
    const wanted = { certificates: [], acme: { directoryUrl, caFile, hosts: ['a.test', 'b.test'] } };
    await rig.route(wanted, true);
    expect(await shownFor('a.test', port)).toBeUndefined();
    const first = await until('both certificates', async () => {
      const [a, b] = [await shownFor('a.test', port), await shownFor('b.test', port)];
      return a?.names === 'DNS:a.test' && b?.names === 'DNS:b.test' ? a : undefined;
    });
    expect(first.issuer).toContain('Pebble');
    expect((await gateway.report()).warnings).toEqual([]);

    const files = (await readdir(join(folder, 'acme'), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const modes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).mode & 0o777));
    expect(files.map(({ name }) => name).sort()).toEqual(['a.test.pem', 'account.json', 'b.test.pem']);
    expect(modes).toEqual([0o600, 0o600, 0o600]);
    const unknown = await ask(plainPort, { path: '/.well-known/acme-challenge/nothing', headers: { host: 'a.test' } });
    expect(unknown.status).toBe(308);

    aheadMs = 4 * year;
    await rig.route({ ...wanted, acme: { ...wanted.acme, email: 'ops@a.test' } });
    await until('a renewed certificate', async () => {
      const now = await shownFor('a.test', port);
      return now !== undefined && now.serial !== first.serial;
    });
    aheadMs = 0;
    await pebble.stop();
    aheadMs = 4 * year;
    await rig.route(wanted);
    await until('a warning', async () =>
      (await gateway.report()).warnings.some((text) => text.includes('No certificate could be got for')),
    );
    const kept = new X509Certificate(await readFile(issuedFile(folder, directoryUrl, 'a.test'))).serialNumber;
    // The last one that came may not have been looked at yet; it stays in use.
    await until('the kept certificate', async () => (await shownFor('a.test', port))?.serial === kept);
  });
});
