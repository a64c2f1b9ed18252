import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createServiceFixture, type ServiceFixture } from './testdata/service-fixture.ts';

const http = 'health: { path: /healthz, interval: 100ms, start_period: 20s }';
const api = (version: string, operations: string): string => `openapi: ${version}\npaths:\n  /orders:\n${operations}`;
const list = '    get: { parameters: [{ name: page, in: query, schema: { type: integer } }], responses: { "200": {} } }\n';
const add = '    post: { responses: { "200": {} } }\n';

let fixture: ServiceFixture;
beforeAll(async () => {
  fixture = await createServiceFixture();
  await writeFile(join(fixture.root, 'api.yaml'), api('3.0.3', list + add));
  await fixture.apply([http, 'api: api.yaml']);
});
afterAll(async () => {
  await fixture.dispose();
});

/** The stable release is 1.0.0 with two operations; each case writes what would come after it. */
async function judged(version: string, text: string, ...more: readonly string[]) {
  await writeFile(join(fixture.root, 'api.yaml'), text);
  const stack = await fixture.stack([http, 'api: api.yaml', ...more]);
  const [declared] = stack.blocks;
  if (!declared) throw new Error('the stack has no service');
  const block = { ...declared, fields: { ...declared.fields, version } };
  const changed = { ...stack, blocks: [block] };
  const risk = await fixture.provider.riskOf?.(block, changed);
  return { problems: await fixture.provider.check(changed), risk };
}

it('says nothing of a release that is in use already, whatever its label', async () => {
  expect(await judged('1.0.0', api('3.0.3', list + add))).toEqual({ problems: [], risk: undefined });
  expect(await judged('7.0.0', api('3.0.3', list + add))).toEqual({ problems: [], risk: undefined });
});

it('refuses a breaking change under a patch or minor version, names every one with its path and the version it needs', async () => {
  const strict = list.replace('name: page,', 'name: page, required: true,');
  for (const version of ['1.0.0', '1.0.1', '1.1.0']) {
    const { problems, risk } = await judged(version, api('3.1.0', strict));
    expect(problems.filter(({ severity }) => severity === 'error')).toMatchObject([
      {
        code: 'breaking_api_change',
        message: expect.stringContaining(
          '  - GET /orders query parameter page: the parameter is now required\n  - POST /orders: the operation is removed',
        ),
        help: expect.stringContaining('2.0.0'),
        position: { line: 5 },
      },
    ]);
    expect(risk).toBe('high');
  }
  const { problems } = await judged('2.0.0', api('3.1.0', strict));
  expect(problems).toMatchObject([
    { severity: 'note', code: 'release_risk', message: expect.stringContaining('the API breaks in 2 places') },
  ]);
});

it('warns of an addition under a patch version, and of content that changed under the same version', async () => {
  const more = api('3.0.3', `${list}${add}    put: { responses: { "200": {} } }\n`);
  expect((await judged('1.0.1', more)).problems).toMatchObject([
    { severity: 'warning', code: 'version_too_low', message: expect.stringContaining('PUT /orders: a new operation') },
    { severity: 'note', code: 'release_risk' },
  ]);
  const { problems, risk } = await judged('1.0.0', api('3.0.3', list + add), 'env: { LOG_LEVEL: debug }');
  expect(problems).toMatchObject([
    { severity: 'warning', code: 'version_unchanged' },
    { severity: 'note', code: 'release_risk', message: expect.stringContaining('low risk') },
  ]);
  expect(risk).toBe('low');
});

it('takes another build of a version for another label', async () => {
  const { problems } = await judged('1.0.0+build.5', api('3.0.3', list + add), 'env: { LOG_LEVEL: debug }');
  expect(problems.map(({ code }) => code)).toEqual(['release_risk']);
});

it('tells which references of a description it does not follow', async () => {
  const remote = api('3.0.3', list + add.replace('{}', '{ $ref: "https://example.org/a.yaml#/Answer" }'));
  expect((await judged('1.0.1', remote)).problems).toMatchObject([
    { severity: 'warning', code: 'api_reference_not_followed', message: expect.stringContaining('https://example.org/a.yaml#/Answer') },
    { severity: 'note', code: 'release_risk' },
  ]);
});

it('warns of a description that cannot be compared', async () => {
  expect((await judged('1.0.1', 'swagger: "2.0"\n')).problems).toMatchObject([
    { severity: 'warning', code: 'api_not_compared' },
    { severity: 'note', code: 'release_risk', message: expect.stringContaining('cannot be compared') },
  ]);
});
