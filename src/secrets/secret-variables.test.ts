import { describe, expect, it } from 'vitest';
import { createSecretVariables } from './secret-variables.ts';

describe('the variables secrets are read from', () => {
  it('are those of the process until a command sends others, for one environment at a time', () => {
    const own: Record<string, string> = { KEY: 'of the process', OTHER: 'x' };
    const variables = createSecretVariables(own);
    expect(variables.of('staging')).toEqual(own);
    variables.take('staging', { KEY: 'of a later shell' });
    variables.take('staging', { MORE: 'y' });
    expect(variables.of('staging')).toEqual({ KEY: 'of a later shell', OTHER: 'x', MORE: 'y' });
    expect(variables.of('production')).toEqual(own);
    own['OTHER'] = 'changed';
    expect(variables.of('staging')['OTHER']).toBe('changed');
  });
});
