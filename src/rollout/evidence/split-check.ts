import { logMeanExp } from './log-sum-exp.ts';
import { comparable, type Strata } from './strata.ts';

/** How far the split could be off, as pseudo-counts of the prior: large ones look for small shifts. */
const concentrations = [10, 100, 1_000, 10_000];

/**
 * ln of the evidence that units were not sent as declared (sample-ratio mismatch): a beta-binomial process around each declared chance,
 * averaged over how far it might be off. With mismatched units every comparison is worthless. Source: Lindon and Malek, "Anytime-Valid
 * Inference for Multinomial Count Data" (2020), in the conjugate form B(a+c, b+d) / B(a, b) * p^-c * (1-p)^-d.
 */
export function logSplitMismatch(units: Strata): number {
  const compared = comparable(units);
  return logMeanExp(
    concentrations.map((concentration) => {
      let sum = 0;
      for (const { chance, candidate, stable } of compared) {
        const [a, b] = [concentration * chance, concentration * (1 - chance)];
        sum += logBeta(a + candidate, b + stable) - logBeta(a, b) - candidate * Math.log(chance) - stable * Math.log(1 - chance);
      }
      return sum;
    }),
  );
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

const lanczos = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905, -0.13857109526572012,
  9.984369578019572e-6, 1.5056327351493116e-7,
];

/** ln of the gamma function for x > 0, by Lanczos' approximation (g = 7, n = 9): relative error below 1e-14. */
function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  let sum = 0.9999999999998099;
  for (const [index, coefficient] of lanczos.entries()) sum += coefficient / (x + index);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}
