import { describe, expect, it } from 'vitest';
import { cliReference } from './reference.ts';
import { registry } from './registry.ts';

describe('the reference of the command line', () => {
  it('has a section for every command and the exit codes', () => {
    const text = cliReference();
    for (const { name, summary } of registry) expect(text).toContain(`### sluice ${name}\n\n${summary}.\n`);
    expect(text).toContain('| 130 |');
    expect(text).toMatch(/\n$/);
  });

  it('is the same every time', () => {
    expect(cliReference()).toBe(cliReference());
  });
});
