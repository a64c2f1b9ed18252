import { expect, it } from 'vitest';
import { allowance, isNone, roomToMove } from './allowance.ts';

it('of more instances is rounded up, and of fewer down', () => {
  expect(roomToMove('25%', '25%', 10)).toEqual({ surge: 3, unavailable: 2 });
  expect(roomToMove('100%', '50%', 1)).toEqual({ surge: 1, unavailable: 0 });
  expect(roomToMove(2, 1, 50)).toEqual({ surge: 2, unavailable: 1 });
});

it('that comes to nothing leaves one instance to move', () => {
  expect(roomToMove(0, '10%', 3)).toEqual({ surge: 0, unavailable: 1 });
  expect(roomToMove('0%', '33%', 4)).toEqual({ surge: 0, unavailable: 1 });
});

it('is a number or a percentage and nothing else', () => {
  const taken = [0, 1000, '0%', '7%', '100%', -1, 1.5, '101%', '5', '2.5%', '%', 1001].map((each) => allowance().safeParse(each).success);
  expect(taken).toEqual([true, true, true, true, true, false, false, false, false, false, false, false]);
  expect([0, '0%', '00%', 1, '1%'].map(isNone)).toEqual([true, true, true, false, false]);
});
