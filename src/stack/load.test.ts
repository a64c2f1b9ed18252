import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fieldsOf } from './kinds/index.ts';
import { loadStack, loadStackText, type LoadOptions } from './load.ts';
import type { ResolvedStack } from './stack.ts';
import { validateStack } from './validate.ts';

const testdata = join(import.meta.dirname, 'testdata');
const read = (name: string) => readFileSync(join(testdata, name), 'utf8');

function load(text: string, options: LoadOptions = {}): ResolvedStack {
  const loaded = loadStackText(text, options);
  expect(loaded.problems).toEqual([]);
  if (!loaded.ok) throw new Error('not loaded');
  return loaded.value;
}

const codes = (text: string, options: LoadOptions = {}) => loadStackText(text, options).problems.map(({ code }) => code);

const block = (stack: ResolvedStack, name: string) => {
  const found = stack.blocks.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no block ${name}`);
  return found;
};

describe('the seed files', () => {
  it.each(['iac_config-1-group.yaml', 'iac_config-2-machine.yaml', 'iac_config.yaml'])('%s loads as it stands', async (name) => {
    const loaded = await loadStack(join(testdata, name));
    expect(loaded.problems).toEqual([]);
    expect(loaded.ok && loaded.value.environment).toMatchObject({ name: 'default', provider: 'local' });
  });

  it('the customer support stack validates whole, in both environments; only the folders it names are missing', async () => {
    const valid = await validateStack(join(testdata, 'customer-support.yaml'));
    expect(valid.ok && valid.value).toMatchObject({ environments: ['staging', 'production'], blocks: 16 });
    expect(new Set(valid.problems.map(({ severity, code }) => `${severity} ${code}`))).toEqual(new Set(['warning path_not_found']));
    expect(valid.problems).toHaveLength(10);
  });

  it('a path that is not there is an error when the stack is loaded for use, at its place', async () => {
    const file = join(testdata, 'customer-support.yaml');
    const loaded = await loadStack(file);
    expect(loaded.ok).toBe(false);
    expect(loaded.problems[0]).toMatchObject({ severity: 'error', code: 'path_not_found', position: { file, line: 55, column: 13 } });
  });

  it('every comment of the language is honoured: the whole seed resolves for production', () => {
    const stack = load(read('customer-support.yaml'), { environment: 'production' });
    expect(stack.environments).toEqual(['staging', 'production']);
    expect(stack.environment.fields).toMatchObject({ promote_from: 'staging', approval: { roles: ['release-manager'] } });
    expect(stack.blocks.map(({ address }) => address)).not.toContain('production/variable/replicas');
    const service = block(stack, 'conversation-agent');
    expect(fieldsOf(service, 'service')).toMatchObject({
      replicas: 2,
      version: '1.0.0',
      command: ['node', 'server.ts'],
      env: { LOG_LEVEL: 'info', MODEL_API_KEY: '${secret.model-api-key}' },
      health: { path: '/healthz', interval: '1s', timeout: '500ms' },
      expose: { host: 'support.localhost', path: '/' },
    });
  });
});

describe('what a stack resolves to', () => {
  it('fills in the defaults of a service', () => {
    const { fields } = block(load('service: { name: a, source: a, command: [node], version: 1.0.0 }'), 'a');
    expect(fields).toEqual({
      name: 'a',
      source: 'a',
      command: ['node'],
      version: '1.0.0',
      replicas: 1,
      health: { interval: '1s', timeout: '1s', start_period: '60s' },
      drain: '10s',
      env: {},
      calls: [],
      rollout: { strategy: 'rolling', max_surge: 1, max_unavailable: 0, progress_deadline: '2m', on_failure: 'rollback' },
    });
  });

  it('lists references with their order and their place', () => {
    const { references } = block(load(read('customer-support.yaml')), 'conversation-agent');
    expect(references.map(({ path, address, ordering, output }) => [path, address, ordering, output])).toEqual([
      ['resource_group_name', 'staging/resource_group/support', true, undefined],
      ['runs_on', 'staging/virtual_machine/agents-01', true, undefined],
      ['calls.0', 'staging/service/retrieval-agent', false, undefined],
      ['calls.1', 'staging/service/reasoning-agent', false, undefined],
      ['calls.2', 'staging/service/logging-agent', false, undefined],
      ['env.MODEL_API_KEY', 'staging/secret/model-api-key', true, 'value'],
    ]);
    expect(references[5]?.position).toEqual({ file: 'stack.yaml', line: 67, column: 22 });
  });

  it('a machine in a subnet waits for the network that declares it', () => {
    const { references } = block(load(read('customer-support.yaml')), 'agents-01');
    expect(references.map(({ address }) => address)).toContain('staging/network/agents');
  });

  it('knows the place of every field, and for a default the nearest one around it', () => {
    const service = block(load(read('customer-support.yaml')), 'conversation-agent');
    expect(service.positionOf('rollout.steps.1.weight')).toMatchObject({ line: 76, column: 21 });
    expect(service.positionOf('rollout.max_surge')).toMatchObject({ line: 72, column: 7 });
    expect(service.positionOf('nothing')).toEqual(service.position);
  });

  it('numbers in env of an arm stay as they were written', () => {
    const experiment =
      'metric: { attribute: o, value: v, goal: more }, for: 1h, arms: { warm: { env: { A: 1.10 }, model: { name: m, version: "1" } } }';
    const rollout = `strategy: canary, steps: [{ weight: 5 }], affinity: { user: true }, analysis: {}, experiment: { ${experiment} }`;
    const { fields } = block(load(`service: { name: a, source: a, command: [a], version: 1.0.0, rollout: { ${rollout} } }`), 'a');
    expect(fields).toMatchObject({
      rollout: { experiment: { arms: { warm: { env: { A: '1.10' }, model: { parameters: {} } } }, share: 50 } },
    });
  });

  it('numbers in env stay as they were written', () => {
    const text = 'service: { name: a, source: a, command: [a], version: 1.0.0, env: { A: 1.10, B: 0x1F, C: true, D: 007 } }';
    expect(block(load(text), 'a').fields['env']).toEqual({ A: '1.10', B: '0x1F', C: 'true', D: '007' });
  });

  it('anchors and aliases work', () => {
    const stack = load('resource_group: &g { name: a }\nservice: { name: b, source: &s x, command: [a, *s], version: 1.0.0 }');
    expect(block(stack, 'b').fields['command']).toEqual(['a', 'x']);
  });
});

describe('variables', () => {
  const text = `variable:
  - { name: replicas, type: integer, default: 2 }
  - { name: level, default: info }
  - { name: callees, type: list, default: [] }
environment:
  - { name: staging, variables: { replicas: 1 } }
  - { name: production }
service:
  - { name: a, source: a, command: [a], version: 1.0.0, replicas: "\${var.replicas}", env: { L: "x-\${var.level}-\${var.replicas}" }, calls: "\${var.callees}" }
  - { name: b, source: a, command: [a], version: 1.0.0 }
`;
  const fields = (options: LoadOptions) => block(load(text, options), 'a').fields;

  it('come from the default, the environment and the command line, the later winning', () => {
    expect(fields({ environment: 'production' })['replicas']).toBe(2);
    expect(fields({})['replicas']).toBe(1);
    expect(fields({ variables: { replicas: '5', callees: 'b' } })).toMatchObject({ replicas: 5, calls: ['b'], env: { L: 'x-info-5' } });
  });

  it('a value never becomes an interpolation', () => {
    expect(fields({ variables: { level: '${secret.x}' } })['env']).toEqual({ L: 'x-$${secret.x}-1' });
  });

  it('of the wrong type, unknown or without a value are errors', () => {
    expect(codes(text, { variables: { replicas: 'two' } })).toEqual(['variable_type']);
    expect(codes(text, { variables: { replica: '2' } })).toEqual(['unknown_variable']);
    expect(codes(text, { environment: 'stagin' })).toEqual(['unknown_environment']);
    expect(codes('variable: { name: x }\nresource_group: { name: "a", location: "${var.x}" }')).toEqual(['missing_variable']);
  });
});
