import { createServer } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { portOf, rawConnection } from './testing/raw-client.ts';
import { backend, createRig, type Rig } from './testing/rig.ts';

// What `routing/` promises of draws and cohorts, as clients see it: over real sockets, through tables that follow one another.

const releases = ['candidate', 'other', 'stable'] as const;
type Weights = Record<(typeof releases)[number], number>;
let rig: Rig;
const ports = new Map<string, number>();
const servers = releases.map((name) => createServer((_req, res) => res.end(`<${name}>`)));

beforeAll(async () => {
  rig = await createRig();
  for (const [index, server] of servers.entries()) ports.set(releases[index] as string, await portOf(server));
});
afterAll(async () => {
  await rig.close();
  for (const server of servers) server.close();
  for (const server of servers) server.closeAllConnections();
});

const backends = (weights: Weights) => releases.map((name) => backend(name, weights[name], { [name]: ports.get(name) as number }));

/** The releases that answer, one after the other on one connection. */
async function ask(fields: readonly string[]): Promise<readonly string[]> {
  const connection = await rawConnection(rig.publicPort);
  const last = fields.length - 1;
  for (const [index, field] of fields.entries()) {
    connection.send(`GET / HTTP/1.1\r\nHost: app.test\r\n${field}${index === last ? 'Connection: close\r\n' : ''}\r\n`);
  }
  const received = await connection.closed();
  return Array.from(received.matchAll(/<(\w+)>/g), ([, name]) => name as string);
}

const someWeight = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100 }));
const someWeights = fc
  .record<Weights>({ candidate: someWeight, other: someWeight, stable: someWeight })
  .filter(({ candidate, other, stable }) => candidate + other + stable > 0);

test('each release gets its share of requests, and one without weight none', async () => {
  const count = 300;
  await fc.assert(
    fc.asyncProperty(someWeights, async (weights) => {
      await rig.route({ split: { salt: 'app/1' }, backends: backends(weights) });
      const answered = await ask(Array.from({ length: count }, () => ''));
      expect(answered).toHaveLength(count);
      const total = releases.reduce((sum, name) => sum + weights[name], 0);
      for (const name of releases) {
        const share = weights[name] / total;
        const got = answered.filter((each) => each === name).length;
        // Five standard deviations of a binomial, and one for its tail not being normal where the share is small: the draws have a fixed seed.
        expect(Math.abs(got - count * share)).toBeLessThanOrEqual(
          share === 0 || share === 1 ? 0 : 5 * Math.sqrt(count * share * (1 - share)) + 1,
        );
      }
    }),
    { numRuns: 6, seed: 21 },
  );
});

const someRollout = fc.record({
  salt: fc.string({ minLength: 1, maxLength: 12 }),
  by: fc.constantFrom('cookie', 'header'),
  steps: fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 2, maxLength: 4 }),
});

test('who was given the candidate once has it at every higher weight, and asks as often as he likes', async () => {
  const users = Array.from({ length: 60 }, (_each, index) => `user-${index}`);
  await fc.assert(
    fc.asyncProperty(someRollout, async ({ salt, by, steps }) => {
      const affinity = by === 'cookie' ? ({ by: 'cookie', name: 'uid' } as const) : ({ by: 'header', name: 'X-User' } as const);
      const fields = users.map((user) => (by === 'cookie' ? `Cookie: a=b; uid=${user}\r\n` : `X-User: ${user}\r\n`));
      let before: readonly string[] = [];
      for (const weight of steps.toSorted((one, other) => one - other)) {
        await rig.route({ split: { salt, affinity }, backends: backends({ candidate: weight, other: 0, stable: 100 - weight }) });
        const [first, again] = await Promise.all([ask(fields), ask(fields)]);
        expect(again).toEqual(first);
        const cohort = users.filter((_user, index) => first[index] === 'candidate');
        expect(before.filter((user) => !cohort.includes(user))).toEqual([]);
        before = cohort;
      }
    }),
    { numRuns: 5, seed: 22 },
  );
});
