import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { exampleRequest } from '../../../src/release/example-request.ts';
import { loadStack } from '../../../src/stack/load.ts';
import { validateStack } from '../../../src/stack/validate.ts';

const example = fileURLToPath(new URL('..', import.meta.url));
const singleFile = fileURLToPath(new URL('../../ai-agent/iac_config.yaml', import.meta.url));

describe('the stacks of the examples', () => {
  it('are valid in every environment', async () => {
    expect(await validateStack(example)).toMatchObject({ ok: true, value: { environments: ['staging', 'production'] }, problems: [] });
    expect(await validateStack(singleFile)).toMatchObject({ ok: true, value: { environments: ['default'] }, problems: [] });
  });

  it.each([
    ['staging', 1],
    ['production', 2],
  ])('run every agent but the logging one with the replicas of %s: %i', async (environment, replicas) => {
    const loaded = await loadStack(example, { environment });
    const services = loaded.ok ? loaded.value.blocks.filter(({ kind }) => kind === 'service') : [];
    expect(services.map(({ name, fields }) => [name, fields['replicas']])).toEqual([
      ['conversation-agent', replicas],
      ['retrieval-agent', replicas],
      ['reasoning-agent', replicas],
      ['logging-agent', 1],
    ]);
  });

  it('come with a request that can be sent as it stands', () => {
    expect(exampleRequest(readFileSync(`${example}/openapi.yaml`, 'utf8'))).toEqual({
      method: 'POST',
      path: '/chat',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: '{"message":"How long does shipping take?"}',
    });
  });
});
