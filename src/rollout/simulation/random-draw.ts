import type { Random } from '../../effects/random.ts';

/** Choices of a random story. */
export interface Draw {
  one<Choice>(choices: readonly Choice[]): Choice;
  /** Both ends included. */
  whole(from: number, to: number): number;
  chance(of: number): boolean;
}

export function drawBy(random: Random): Draw {
  return {
    one: (choices) => choices[Math.floor(random.next() * choices.length)] as (typeof choices)[number],
    whole: (from, to) => from + Math.floor(random.next() * (to - from + 1)),
    chance: (of) => random.next() < of,
  };
}
