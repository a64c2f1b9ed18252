import { describe, expect, it } from 'vitest';
import { sluiceError } from '../errors/sluice-error.ts';
import type { CreateRequest, Provider } from '../providers/provider.ts';
import { blockOf, createControlPlane, stackOf } from './testdata/control-plane.ts';

const stack = stackOf(
  blockOf('secret', 'key', { value: { env: 'KEY' } }),
  blockOf('service', 'web', { env: { KEY: 'before ${secret.key} after' } }),
);
/** What the simulated provider gives as the value of the secret. */
const canary = 'simulated://secret-1/value';

const words = ({ fields }: CreateRequest): string => `connect failed: ${JSON.stringify(fields)} ${encodeURIComponent(canary)}`;

/** A provider that says everything it knows when it fails, as drivers do. */
function talkative(provider: Provider, fail: (words: string) => Error): Provider {
  return {
    ...provider,
    create: async (request, operation) => {
      if (request.kind !== 'service') return provider.create(request, operation);
      operation.progress(`trying with ${words(request)}`);
      throw fail(words(request));
    },
    suspend: async () => {
      throw fail(canary);
    },
    read: async () => {
      throw fail(`cannot read ${canary}`);
    },
  };
}

describe('a provider that fails with a secret in its words', () => {
  it.each([
    ['an error of the catalogue', (reason: string) => sluiceError('local_failure', { address: 'a', action: 'create', reason })],
    ['a raw error', (words: string) => new Error(words)],
  ])('is told without it everywhere: %s', async (_, fail) => {
    const plane = createControlPlane({ wrap: (provider) => talkative(provider, fail) });
    const report = await plane.apply(stack);
    expect(report.status).toBe('failed');
    expect(JSON.stringify(report)).toContain('connect failed');
    await plane.engine.suspendAll();
    const stored = JSON.stringify([
      report,
      await plane.store.list('resources'),
      await plane.store.read('journal', 0, 100),
      await plane.events.read(0, 200),
    ]);
    expect(stored).toContain('trying with connect failed');
    expect(stored).toContain('***');
    for (const form of [canary, encodeURIComponent(canary)]) expect(stored).not.toContain(form);
  });
});
