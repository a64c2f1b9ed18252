import { describe, expect, it } from 'vitest';
import { machineSize, nearestSizes } from './sizes.ts';

const gib = 2 ** 30;

describe('the catalogue of machine sizes', () => {
  it.each([
    ['Standard_D8s_v3', 8, 32],
    ['Standard_B1ls', 1, 0.5],
    ['Standard_B20ms', 20, 80],
    ['Standard_D4ds_v5', 4, 16],
    ['Standard_E64_v3', 64, 432],
    ['Standard_E96ads_v5', 96, 672],
    ['Standard_F2s_v2', 2, 4],
  ])('knows %s', (name, cpus, memory) => {
    expect(machineSize(name)).toEqual({ name, cpus, memoryBytes: memory * gib });
  });

  it('compares names without regard to case, as Azure does', () => {
    expect(machineSize('standard_d8S_V3')?.name).toBe('Standard_D8s_v3');
  });

  it('names the nearest sizes for one it does not know', () => {
    expect(machineSize('Standard_D8s_v33')).toBeUndefined();
    expect(nearestSizes('Standard_D8s_v33')[0]).toBe('Standard_D8s_v3');
    expect(nearestSizes('x'.repeat(100_000))).toHaveLength(3);
  });
});
