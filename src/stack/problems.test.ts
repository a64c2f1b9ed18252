import { describe, expect, it } from 'vitest';
import { loadStackText } from './load.ts';

const experiment = (arm: string) => `    experiment:
      metric: { attribute: o, value: v, goal: more }
      for: 1h
      arms:
        ${arm}: { env: { A: b } }`;
const service = (rest: string) => `service:\n  name: a\n  source: a\n  command: [a]\n  version: 1.0.0\n${rest}`;

/** What is wrong with a stack, as `line:column code`. */
function found(text: string): readonly string[] {
  const { problems } = loadStackText(text);
  for (const { position } of problems) expect(position).toBeDefined();
  return problems.map(({ code, position }) => `${position?.line}:${position?.column} ${code}`);
}

const affinity = (fields: string) => service(`  rollout:\n    strategy: canary\n    steps: [{ weight: 5 }]\n    affinity: ${fields}`);

const message = (text: string) =>
  loadStackText(text)
    .problems.map((problem) => `${problem.message} ${problem.help}`)
    .join('\n');

describe('every mistake is found at its place', () => {
  it.each([
    ['nothing at all', '', ['1:1 stack_empty']],
    ['only comments', '# nothing\n', ['1:1 stack_empty']],
    ['a list at the top', '- a', ['1:1 stack_not_a_map']],
    ['a kind that does not exist', 'servce:\n  name: a', ['1:1 unknown_kind']],
    ['a block that is text', 'secret: x', ['1:9 block_not_a_map']],
    ['a block without a name', 'resource_group: { location: x }', ['1:17 block_without_name']],
    ['a name that is no label', 'resource_group: { name: A_b }', ['1:25 invalid_name']],
    ['a name that is a number', 'resource_group: { name: 12 }', ['1:25 wrong_type']],
    ['a name with an interpolation', 'resource_group: { name: "${var.x}" }', ['1:25 invalid_name']],
    ['two blocks of one name', 'resource_group: [{ name: a }, { name: a }]', ['1:39 duplicate_block']],
    ['a key twice', 'resource_group:\n  name: a\n  name: b', ['3:3 duplicate_key']],
    ['two documents', 'resource_group: { name: a }\n---\nsecret: {}', ['2:1 yaml_many_documents']],
    ['a directive', '%YAML 1.1\n---\na: b', ['1:1 yaml_unsupported']],
    ['a tag', 'resource_group: !thing { name: a }', ['1:17 yaml_invalid']],
    ['a key that is a list', 'resource_group: { [a]: b }', ['1:17 yaml_unsupported']],
    ['an unknown alias', 'resource_group: { name: *a }', ['1:25 yaml_alias_unknown']],
    ['an alias inside its own anchor', 'resource_group: &a { name: x, location: *a }', ['1:41 yaml_alias_unknown']],
    ['a number too large to be exact', 'database: { name: a, storage_gb: 99999999999999999999 }', ['1:34 yaml_unsupported']],
    ['a field that does not exist', 'resource_group:\n  name: a\n  locaton: x', ['3:3 unknown_field']],
    ['an image beside a source', service('  image: registry/agent:1'), ['6:10 invalid_value']],
    ['an image that is no reference', 'service: { name: a, version: 1.0.0, image: Agent }', ['1:44 invalid_value']],
    ['a service without any code', 'service: { name: a, version: 1.0.0 }', ['1:10 invalid_value']],
    ['code that nothing starts', 'service: { name: a, version: 1.0.0, source: a }', ['1:10 invalid_value']],
    ['a field inside a field', service('  expose: { host: a.localhost, paht: / }'), ['6:32 unknown_field']],
    ['missing fields', 'flag: { name: a }', ['1:7 missing_field', '1:7 missing_field']],
    ['a wrong type', service('  replicas: many'), ['6:13 wrong_type']],
    ['a value out of bounds', service('  replicas: -1'), ['6:13 invalid_value']],
    ['a duration without a unit', service('  drain: 10'), ['6:10 wrong_type']],
    ['a strategy misspelt', service('  rollout: { strategy: bluegreen }'), ['6:24 invalid_value']],
    ['a field of another strategy', service('  rollout: { strategy: rolling, keep_previous: 1m }'), ['6:48 invalid_value']],
    [
      'an experiment whose users would not stay in their arms',
      service(`  rollout:\n    strategy: canary\n    steps: [{ weight: 5 }]\n    analysis: {}\n${experiment('warm')}`),
      ['7:5 invalid_value'],
    ],
    [
      'an experiment in which nothing withdraws an arm',
      service(`  rollout:\n    strategy: canary\n    steps: [{ weight: 5 }]\n    affinity: { user: true }\n${experiment('warm')}`),
      ['7:5 invalid_value'],
    ],
    [
      'an arm that is called as control is',
      service(
        `  rollout:\n    strategy: canary\n    steps: [{ weight: 5 }]\n    affinity: { user: true }\n    analysis: {}\n${experiment('control')}`,
      ),
      ['15:9 invalid_value'],
    ],
    ['a variable that does not exist', service('  drain: ${var.x}'), ['6:10 unknown_variable']],
    ['an interpolation that does not end', service('  env: { A: "x ${secret.b" }'), ['6:16 malformed_interpolation']],
    ['an interpolation of nothing', service('  env: { A: "${}" }'), ['6:14 malformed_interpolation']],
    ['an interpolation of what is no kind', service('  env: { A: "${env.HOME}" }'), ['6:14 unknown_interpolation']],
    ['an interpolation without quotes in braces', service('  env: { A: ${secret.b} }'), ['6:14 yaml_invalid']],
    ['a reference to nothing', service('  runs_on: vm'), ['6:12 unknown_reference']],
    ['a reference to itself', service('  calls: [a]'), ['6:11 self_reference']],
    [
      'an output that does not exist',
      `secret: { name: s, value: { generated: {} } }\n${service('  env: { A: "${secret.s.key}" }')}`,
      ['7:14 unknown_output'],
    ],
    [
      'an output where planning needs a value',
      `secret: { name: s, value: { generated: {} } }\n${service('  drain: ${secret.s}')}`,
      ['7:10 output_not_known_yet'],
    ],
    ['an interpolation in a variable', 'variable: { name: a, default: "${secret.b}" }', ['1:32 interpolation_not_allowed']],
    ['a path out of the folder', service('  policy: ../x'), ['6:11 path_outside_stack']],
    ['an absolute path', service('  policy: /etc/passwd'), ['6:11 path_outside_stack']],
    [
      'an environment that a pipeline does not find',
      'pipeline: { name: a, stages: [{ name: b, steps: [{ deploy: c }] }] }',
      ['1:60 unknown_reference'],
    ],
    [
      'environments promoted in a circle',
      'environment: [{ name: a, promote_from: b }, { name: b, promote_from: a }]',
      ['1:45 reference_cycle'],
    ],
    [
      'a subnet outside of its network',
      'network: { name: a, address_space: 10.0.0.0/24, subnets: [{ name: b, address_prefix: 10.1.0.0/24 }] }',
      ['1:86 subnet_outside_network'],
    ],
    ['a range with bits after its prefix', 'network: { name: a, address_space: 10.0.0.1/24 }', ['1:36 invalid_value']],
    ['a flag that serves what it has not', 'flag: { name: a, variants: { x: 1 }, default: y }', ['1:47 invalid_value']],
    ['a byte order of no meaning', 'resource_group: { name: a, location: "\u0000" }', ['1:39 text_not_printable']],
    [
      'a prototype as a key',
      'flag: { name: a, default: b, variants: { b: 1, __proto__: 2, constructor: 3 } }',
      ['1:48 forbidden_key', '1:62 forbidden_key'],
    ],
  ])('%s', (_, text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  it('all of them at once, in the order of the text', () => {
    const text = service('  drain: soon\n  calls: [b]\n  cach: {}\nresource_group: { name: a, locaton: x }\nnothing: 1');
    expect(found(text)).toEqual([
      '6:10 invalid_value',
      '7:11 unknown_reference',
      '8:3 unknown_field',
      '9:28 unknown_field',
      '10:1 unknown_kind',
    ]);
  });

  it('a hundred are enough', () => {
    const problems = found(Array.from({ length: 5000 }, (_, index) => `k${index}: 1`).join('\n'));
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toMatch(/too_many_problems$/);
  });
});

describe('what is said helps', () => {
  it.each([
    ['the nearest kind', 'servce: { name: a }', "Did you mean 'service'?"],
    ['the nearest field', service('  replica: 2'), "Did you mean 'replicas'?"],
    [
      'the nearest name',
      `secret: { name: api-key, value: { generated: {} } }\n${service('  env: { A: "${secret.apikey}" }')}`,
      "Did you mean 'api-key'?",
    ],
    [
      'the outputs there are',
      'cache: { name: c }\n'.concat(service('  env: { A: "${cache.c.uri}" }')),
      'The outputs of a cache are url, host, port, password.',
    ],
    ['the way out of a wrong type', 'database: { name: a, type: PostgreSQL, version: 15 }', 'quotes around it'],
    ['what a missing field is for', 'database: { name: a, type: PostgreSQL }', "Add 'version': Major version of the engine"],
    ['what a field may be', 'secret: { name: a, value: {} }', 'one of { env: NAME }, { file: path }'],
    [
      'the circle',
      'tunnel: { name: t, service: a }\n'.concat(service('  env: { A: "${tunnel.t.url}" }')),
      'tunnel/t -> service/a -> tunnel/t',
    ],
    [
      'the place of the first',
      'secret:\n  - { name: a, value: { generated: {} } }\n  - { name: a, value: { generated: {} } }',
      'stack.yaml:2:5',
    ],
    ['why an unquoted interpolation fails', service('  env: { A: ${secret.b} }'), 'needs quotes around it'],
  ])('%s', (_, text, expected) => {
    expect(message(text)).toContain(expected);
  });

  it('what one of several fields would mend is not told to need a certain one, and a constant is named', () => {
    expect(message(affinity('{}'))).toContain("'rollout.affinity' must be either cookie, header or user");
    expect(message(affinity('{ user: x-user }'))).toContain("'rollout.affinity.user' must be true");
  });

  it('the value of a secret is never repeated', () => {
    expect(message('secret: { name: a, value: hunter2 }\nsecret2: { value: hunter2 }')).not.toContain('hunter2');
  });
});
