const largestDivisor = 1_000;
const tolerance = 1e-9;

/**
 * One representation for chances that are the same but for rounding: a fraction with a divisor up to 1,000 is that very quotient, so that
 * a half, a third or 5 % are exact; anything else is rounded to a millionth.
 */
export function plainProbability(chance: number): number {
  for (let divisor = 1; divisor <= largestDivisor; divisor += 1) {
    const whole = Math.round(chance * divisor);
    if (Math.abs(chance - whole / divisor) < tolerance) return whole / divisor;
  }
  return Math.round(chance * 1e6) / 1e6;
}
