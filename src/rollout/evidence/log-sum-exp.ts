/** ln of the sum of exp(x), without overflow; -Infinity for no terms. */
export function logSumExp(terms: readonly number[]): number {
  const largest = Math.max(...terms);
  if (!Number.isFinite(largest)) return largest;
  let sum = 0;
  for (const term of terms) sum += Math.exp(term - largest);
  return largest + Math.log(sum);
}

/** ln of the mean of exp(x): an average of e-values, itself an e-value. 0 (the e-value 1) for none. */
export function logMeanExp(terms: readonly number[]): number {
  return terms.length === 0 ? 0 : logSumExp(terms) - Math.log(terms.length);
}
