import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { maskSecrets, openLog } from './log.ts';

describe('the log of the control plane', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-log-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['connect postgres://agent:canary-1@127.0.0.1:5432/db', 'connect postgres://agent:***@127.0.0.1:5432/db'],
    ['redis://:canary-1@127.0.0.1', 'redis://:***@127.0.0.1'],
    ['key sk_canary-1canary-1 was refused', 'key sk_*** was refused'],
    ['Authorization: Bearer canary-1.x', 'Authorization: Bearer ***'],
    ['{"password":"canary-1","user":"a"}', '{"password":"***","user":"a"}'],
    ['MODEL_API_KEY=canary-1 node', 'MODEL_API_KEY=*** node'],
    ['read state.db at http://127.0.0.1:80/a?b=c', 'read state.db at http://127.0.0.1:80/a?b=c'],
  ])('masks what looks like a secret: %s', (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
  });

  it('keeps an error with its causes for its owner alone, masked', async () => {
    const file = join(folder, 'log');
    const log = openLog(file);
    log.error({ error: new Error('outer', { cause: new Error('at postgres://a:canary-1@h/d') }) }, 'failed');
    const text = await readFile(file, 'utf8');
    expect(JSON.parse(text)).toMatchObject({
      level: 'error',
      msg: 'failed',
      error: { message: 'outer', cause: { message: 'at postgres://a:***@h/d' } },
    });
    expect(text).not.toContain('canary-1');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});
