import { describe, expect, test } from 'vitest';
import { unitOf } from './request-unit.ts';

const token = (claims: unknown): string =>
  `Bearer ${['{"alg":"none"}', JSON.stringify(claims), 'signature'].map((part) => Buffer.from(part).toString('base64url')).join('.')}`;

describe('a user', () => {
  test.each([
    ['session=a', 'a'],
    ['x=1; session=a; y=2', 'a'],
    ['x=1;session=a', 'a'],
    ['session=a; session=b', 'b'],
    ['session= a b ;x', 'a b'],
    ['session="a"', '"a"'],
    ['xsession=a', undefined],
    ['session=', undefined],
    ['x=session=a', undefined],
    ['Session=a', undefined],
    ['session', undefined],
    ['', undefined],
  ])('is recognised by a cookie in %j as %j', (field, expected) => {
    expect(unitOf(['Host', 'h', 'Cookie', field, 'x', 'y'], { by: 'cookie', name: 'session' })).toBe(expected);
  });

  test('is recognised by the last of several cookie fields or header fields', () => {
    expect(unitOf(['cookie', 'session=a', 'Cookie', 'session=b; c=d', 'cookie', 'e=f'], { by: 'cookie', name: 'session' })).toBe('b');
    expect(unitOf(['X-User', 'a', 'x-user', 'b'], { by: 'header', name: 'x-user' })).toBe('b');
    expect(unitOf(['X-User', ''], { by: 'header', name: 'x-user' })).toBeUndefined();
  });

  test('is who the caller says, else the subject of a bearer token', () => {
    expect(unitOf(['x-sluice-user', 'ada', 'authorization', token({ sub: 'bob' })], { by: 'user' })).toBe('ada');
    expect(unitOf(['authorization', token({ sub: 'bob' })], { by: 'user' })).toBe('bob');
    expect(unitOf(['Authorization', token({ sub: 'Zoë' }).replace('Bearer', 'bearer')], { by: 'user' })).toBe('ZoÃ«');
  });

  test.each([
    'Basic YTpi',
    'Bearer',
    'Bearer opaque',
    'Bearer a.b.c',
    token(null),
    token([]),
    token({}),
    token({ sub: 7 }),
    token({ sub: '' }),
    token({ sub: 'x'.repeat(300) }),
    token({ sub: 'a', padding: 'x'.repeat(9_000) }),
  ])('is nobody by a token that is none or not as it should be (%#)', (authorization) => {
    expect(unitOf(['authorization', authorization], { by: 'user' })).toBeUndefined();
  });
});
