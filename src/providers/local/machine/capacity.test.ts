import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../digest/json.ts';
import { blockOf, stackOf } from '../local-fixture.ts';
import { checkCapacity } from './capacity.ts';
import { machineSize, type MachineSize } from './sizes.ts';

const machine = blockOf('virtual_machine', { name: 'vm', size: 'Standard_F2s_v2', image: 'any' });
const size = machineSize('Standard_F2s_v2') as MachineSize;

function problemsWith(...services: readonly (JsonObject & { name: string })[]) {
  const blocks = services.map((fields) => blockOf('service', { source: 'a', command: ['a'], version: '1.0.0', runs_on: 'vm', ...fields }));
  return checkCapacity(machine, size, stackOf('/', [machine, ...blocks]));
}

describe('the capacity of a machine (2 vCPU, 4 GiB)', () => {
  it('is enough for what fits exactly, the instance that a rolling replacement adds included', () => {
    expect(problemsWith({ name: 'a', replicas: 1, resources: { cpu: '1', memory: '2Gi' } })).toEqual([]);
  });

  it('is over-committed by the surge alone, with the services and the numbers in the message', () => {
    const problems = problemsWith(
      { name: 'a', replicas: 2, resources: { cpu: '750m', memory: '1Gi' } },
      { name: 'b', resources: { cpu: '100m' } },
    );
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      ['machine_overcommitted', "The services on 'vm' need 2.45 vCPU of CPU and it has 2 vCPU: a 3 x 0.75 vCPU, b 2 x 0.1 vCPU."],
    ]);
    expect(problems[0]).toMatchObject({ severity: 'error', address: 'default/virtual_machine/vm' });
  });

  it('counts memory as well as processors', () => {
    const problems = problemsWith({ name: 'a', replicas: 4, resources: { cpu: '10m', memory: '1Gi' } });
    expect(problems.map(({ message }) => message)).toEqual(["The services on 'vm' need 5 GiB of memory and it has 4 GiB: a 5 x 1 GiB."]);
  });

  it('counts a service that declares nothing with 100m and 128Mi', () => {
    expect(problemsWith({ name: 'a', replicas: 18 }, { name: 'idle', replicas: 0 })).toEqual([]);
    expect(problemsWith({ name: 'a', replicas: 20 })).toHaveLength(1);
  });

  it('counts both releases of a blue-green service, and the most a scaled one may have', () => {
    expect(problemsWith({ name: 'a', replicas: 2, resources: { cpu: '600m' }, rollout: { strategy: 'blue_green' } })[0]?.message).toContain(
      'a 4 x',
    );
    expect(
      problemsWith({ name: 'a', scaling: { min: 1, max: 9, targets: { concurrency: 1 } }, resources: { cpu: '500m' } })[0]?.message,
    ).toContain('a 10 x');
  });

  it('is not touched by services that run elsewhere', () => {
    const elsewhere = blockOf('service', { name: 'b', source: 'a', command: ['a'], version: '1.0.0', replicas: 500 });
    expect(checkCapacity(machine, size, stackOf('/', [machine, elsewhere]))).toEqual([]);
  });
});
