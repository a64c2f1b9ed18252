import { expect, test } from 'vitest';
import { loadStackText } from './load.ts';

const stack = (gateway: string): string => `environment:
  - name: staging
  - name: production
    gateway:
${gateway.replaceAll(/^/gm, '      ')}
secret:
  name: shop-key
  value: { generated: {} }
service:
  name: shop
  source: shop
  command: [node, shop.js]
  version: 1.0.0
  expose: { host: shop.test }
`;

const withSecret = stack("tls:\n  certificates:\n    - { certificate: tls/shop.pem, key: '${secret.shop-key}' }");

function problemsOf(text: string): string {
  const loaded = loadStackText(text, { environment: 'production' });
  return loaded.problems.map(({ code, position, message }) => `${position?.line} ${code} ${message}`).join('\n');
}

test('how the gateway serves is a resource of its environment, before the services it exposes and after its secrets', () => {
  const loaded = loadStackText(withSecret, { environment: 'production' });
  expect(loaded.problems).toEqual([]);
  const blocks = loaded.ok ? loaded.value.blocks : [];
  const settings = blocks.find(({ kind }) => kind === 'environment');
  expect(settings?.address).toBe('production/environment/production');
  expect(settings?.fields).toEqual({
    name: 'production',
    gateway: {
      tls: { certificates: [{ hosts: [], certificate: 'tls/shop.pem', key: '${secret.shop-key}' }], redirect: true },
    },
  });
  expect(settings?.references.map(({ address }) => address)).toEqual(['production/secret/shop-key']);
  const service = blocks.find(({ kind }) => kind === 'service');
  expect(service?.references.map(({ address, ordering }) => [address, ordering])).toEqual([['production/environment/production', true]]);
});

test('an environment that says nothing of its gateway is no resource', () => {
  const loaded = loadStackText(withSecret, { environment: 'staging' });
  expect(loaded.ok && loaded.value.blocks.map(({ kind }) => kind)).toEqual(['secret', 'service']);
});

test.each([
  ['tls: {}', '5 invalid_value'],
  ['tls:\n  certificates:\n    - { certificate: ../shop.pem, key: a.key }', '7 path_outside_stack'],
  ['tls:\n  certificates:\n    - { certificate: a.pem, key: /etc/a.key }', '7 path_outside_stack'],
  ["tls:\n  certificates:\n    - { certificate: a.pem, key: '${secret.nothing}' }", '7 unknown_reference'],
  ["tls:\n  certificates:\n    - { certificate: a.pem, key: '${secret.shop-key}x' }", '7 '],
  ["tls:\n  certificates:\n    - { certificate: '${secret.shop-key}', key: a.key }", '7 '],
  ["tls:\n  acme: { email: '${var.mail}' }", '6 interpolation_not_allowed'],
  ['tls:\n  acme: { directory: http://plain.test/ }', '6 '],
  ['tls:\n  acme: {}\n  port: 70000', '7 '],
  ['tls:\n  acme: {}\n  prot: 443', '7 unknown_field'],
])('a mistake is told with its place: %s', (gateway, expected) => {
  expect(problemsOf(stack(gateway))).toContain(expected);
});
