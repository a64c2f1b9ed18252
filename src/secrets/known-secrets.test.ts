import { describe, expect, it } from 'vitest';
import { seededRandom } from '../effects/random.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { createVault } from './file-vault.ts';
import { createKnownSecrets, learningVault } from './known-secrets.ts';

describe('known secrets', () => {
  it('are taken out of any text, as they are and as JSON and URLs write them', () => {
    const secrets = createKnownSecrets();
    secrets.learn('pä"ss wörd/1');
    secrets.learn({ url: 'postgres://a:longer-secret@h/d', list: ['longer-secret'] });
    expect(secrets.scrub(`a pä"ss wörd/1 b ${JSON.stringify('pä"ss wörd/1')} c ${encodeURIComponent('pä"ss wörd/1')}`)).toBe(
      'a *** b "***" c ***',
    );
    expect(secrets.scrub('postgres://a:longer-secret@h/d and longer-secretlonger-secret')).toBe('*** and ******');
    expect(secrets.scrubJson({ 'longer-secret': ['x longer-secret', 1, null] })).toEqual({ '***': ['x ***', 1, null] });
  });

  it('leave other words and too short values alone', () => {
    const secrets = createKnownSecrets();
    for (const value of ['', 'short', 7, null]) secrets.learn(value);
    secrets.learn('secret-value');
    expect(secrets.scrub('a short 7 secret-valu')).toBe('a short 7 secret-valu');
  });

  it('leave an error its code, and lose its cause only when there was a secret in it', () => {
    const secrets = createKnownSecrets();
    secrets.learn('canary-value');
    const clean = sluiceError('store_unavailable', { path: 'p', reason: 'disk full' }, { cause: new Error('x') });
    expect(secrets.scrubError(clean)).toBe(clean);
    const raw = secrets.scrubError(new Error('login with canary-value failed'));
    expect([raw.code, raw.message, raw.cause]).toEqual([
      'internal_error',
      'Something went wrong inside Sluice: login with *** failed',
      undefined,
    ]);
  });

  it('are learned from outputs that are sealed or opened, and from nothing else', () => {
    const secrets = createKnownSecrets();
    const vault = learningVault(createVault(new Uint8Array(32), seededRandom(1)), secrets);
    const other = createVault(new Uint8Array(32), seededRandom(2));
    vault.seal(JSON.stringify({ region: 'not-a-secret' }));
    vault.seal(JSON.stringify('sealed-here'));
    vault.open(other.seal(JSON.stringify('opened-here')));
    expect(secrets.scrub('not-a-secret sealed-here opened-here')).toBe('not-a-secret *** ***');
  });
});
