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
      ports: {},
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

const engines = (staging: string, production: string): string => `environment:
  - { name: staging, gateway: { engine: ${staging} } }
  - name: plain
  - { name: production, gateway: { engine: ${production} } }
`;

test('the engine is one for all environments that name one', () => {
  expect(loadStackText(engines('haproxy', 'haproxy')).problems).toEqual([]);
  const [conflict, ...others] = loadStackText(engines('haproxy', 'embedded')).problems;
  expect(others).toEqual([]);
  expect(conflict).toMatchObject({ severity: 'error', code: 'gateway_engine_conflict', position: { line: 4 } });
  expect(conflict?.message).toContain("'embedded' contradicts environment 'staging'");
  expect(loadStackText(engines('caddy', 'auto')).problems).toMatchObject([{ code: 'invalid_value', position: { line: 2 } }]);
});

test.each([
  ['tls: {}', '5 invalid_value'],
  ['address: example.com', '5 invalid_value'],
  ['ports: { http: 0 }', '5 invalid_value'],
  ['ports: { https: 443 }', '5 invalid_value'],
  ['ports: { https: 443 }\ntls:\n  acme: {}\n  port: 444', '5 invalid_value'],
  ['ports: { http: 443 }\ntls:\n  acme: {}\n  port: 443', '5 invalid_value'],
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

const places = (first: string, second: string): string => `environment:
  - { name: staging, gateway: { ${first} } }
  - { name: production, gateway: { ${second} } }
`;

const problemsAt = (first: string, second: string) => loadStackText(places(first, second)).problems;

test('two environments cannot be reached at the same place', () => {
  expect(problemsAt('ports: { http: 80 }', 'ports: { http: 81 }')).toEqual([]);
  expect(problemsAt('address: 192.0.2.1, ports: { http: 80 }', 'address: 192.0.2.2, ports: { http: 80 }')).toEqual([]);
  expect(problemsAt('ports: { http: 80 }', 'ports: { http: 80 }')).toMatchObject([
    {
      severity: 'error',
      code: 'gateway_port_conflict',
      position: { line: 3 },
      message: "Port 80 is wanted by environment 'staging', too.",
    },
  ]);
  expect(problemsAt('address: 0.0.0.0, ports: { http: 8443 }', 'tls: { acme: {}, port: 8443 }')).toMatchObject([
    { code: 'gateway_port_conflict', position: { line: 3 } },
  ]);
});
