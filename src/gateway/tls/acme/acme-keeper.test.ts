import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Clock } from '../../../effects/clock.ts';
import { seededRandom } from '../../../effects/random.ts';
import { sluiceError } from '../../../errors/sluice-error.ts';
import { until } from '../../../testing/conditions.ts';
import { silentLog } from '../../log.ts';
import type { ListenerRoute } from '../../routing-table.ts';
import { createTestAuthority, type TestAuthority } from '../testing/authority.ts';
import { issuedFile } from './acme-files.ts';
import { type AcmeKeeper, createAcmeKeeper } from './acme-keeper.ts';
import { backoffMs, renewalAt } from './renewal.ts';

const directoryUrl = 'https://authority.test/directory';
const day = 24 * 3_600_000;
const minute = 60_000;
let folder: string;
let authority: TestAuthority;
let keeper: AcmeKeeper | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-acme-'));
  authority = await createTestAuthority(join(folder, 'authority'));
});
afterEach(async () => {
  keeper?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
});

/** Time that goes on only when it is told to. */
function handClock(): Clock & { advance(milliseconds: number): void; sleeping(): number } {
  let now = Date.now();
  let sleepers: { until: number; wake: () => void }[] = [];
  return {
    now: () => now,
    monotonic: () => now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { until: now + milliseconds, wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((each) => each !== sleeper);
          reject(new Error('woken'));
        });
      }),
    advance: (milliseconds) => {
      now += milliseconds;
      const due = sleepers.filter((each) => each.until <= now);
      sleepers = sleepers.filter((each) => each.until > now);
      for (const { wake } of due) wake();
    },
    sleeping: () => sleepers.length,
  };
}

function listener(hosts: readonly string[], certificates: NonNullable<ListenerRoute['tls']>['certificates'] = []): ListenerRoute {
  return { environment: 'test', host: '127.0.0.1', port: 80, tls: { port: 443, certificates, acme: { directoryUrl, hosts: [...hosts] } } };
}

function keep(outcome: (host: string) => 'issued' | 'failed') {
  const clock = handClock();
  const asked: string[] = [];
  keeper = createAcmeKeeper({
    folder,
    clock,
    random: seededRandom(7),
    log: silentLog,
    issue: async ({ host }) => {
      asked.push(host);
      if (outcome(host) === 'failed') throw sluiceError('tls_issue_failed', { host, reason: 'no route' });
      // openssl counts from the real moment, however far the clock of the test is.
      const isRenewal = asked.filter((other) => other === host).length > 1;
      const made = await authority.issue(`${host}-${asked.length}`, [host], isRenewal ? 900 : 90);
      const file = issuedFile(folder, directoryUrl, host);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, (await readFile(made.keyFile, 'utf8')) + (await readFile(made.certificateFile, 'utf8')));
    },
  });
  const rests = () => until('the keeper at rest', () => clock.sleeping() === 1);
  const advance = async (milliseconds: number, most = day): Promise<void> => {
    for (let left = milliseconds; left > 0; left -= most) {
      clock.advance(Math.min(left, most));
      await rests();
    }
  };
  return { keeper, clock, asked, rests, advance };
}

test('a certificate is asked for at once, and again after two thirds of its life', async () => {
  const { keeper, asked, rests, advance } = keep(() => 'issued');
  keeper.follow([listener(['a.test', 'b.test'])]);
  expect(keeper.warnings()).toHaveLength(2);
  await until('both', () => asked.length === 2);
  await rests();
  expect(keeper.warnings()).toEqual([]);
  await advance(56 * day);
  expect(asked).toHaveLength(2);
  await advance(4.1 * day);
  expect(asked.sort()).toEqual(['a.test', 'a.test', 'b.test', 'b.test']);
});

test('a failure is told, keeps the certificate there is, and is tried again ever later', async () => {
  let fails = false;
  const { keeper, asked, rests, advance } = keep(() => (fails ? 'failed' : 'issued'));
  keeper.follow([listener(['a.test'])]);
  await until('the first', () => asked.length === 1);
  await rests();
  const file = issuedFile(folder, directoryUrl, 'a.test');
  const before = await readFile(file, 'utf8');
  fails = true;
  await advance(60.1 * day);
  const after = asked.length;
  expect(after).toBeGreaterThan(1);
  expect(keeper.warnings().join()).toContain('No certificate could be got for a.test: no route');
  expect(await readFile(file, 'utf8')).toBe(before);
  fails = false;
  await advance(0.8 * day);
  expect(keeper.warnings()).toEqual([]);
  expect(await readFile(file, 'utf8')).not.toBe(before);
});

test('a host that a given certificate covers is not asked for, and one more host is when the listener wants it', async () => {
  const { keeper, asked, rests } = keep(() => 'issued');
  const given = await authority.issue('given', ['*.shop.test']);
  const certificates = [{ ...given, hosts: [] }];
  keeper.follow([listener(['www.shop.test', 'a.test'], certificates)]);
  await until('one', () => asked.length === 1);
  await rests();
  keeper.follow([listener(['www.shop.test', 'a.test', 'b.test'], certificates)]);
  await until('the other', () => asked.length === 2);
  expect(asked).toEqual(['a.test', 'b.test']);
});

test('a damaged file counts as no certificate', async () => {
  const { keeper, asked, rests } = keep(() => 'issued');
  const file = issuedFile(folder, directoryUrl, 'a.test');
  await mkdir(dirname(file), { recursive: true });
  await copyFile(authority.caFile, file);
  keeper.follow([listener(['a.test'])]);
  await until('it', () => asked.length === 1);
  await rests();
  expect(keeper.warnings()).toEqual([]);
});

test('waiting after failures doubles, is spread and bounded', () => {
  expect(backoffMs(1, 0)).toBe(2 * minute);
  expect(backoffMs(3, 0)).toBe(8 * minute);
  expect(backoffMs(3, 0.999)).toBeLessThan(12 * minute);
  expect(backoffMs(60, 0)).toBe(12 * 60 * minute);
  const life = { validFrom: 0, validTo: 90 * day };
  expect([renewalAt(life, 0), renewalAt(life, 1)].map((at) => at / day)).toEqual([60, 57]);
});
