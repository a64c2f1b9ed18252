export interface Share {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** `events` of `trials` with their 95 % interval: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927). */
export function wilson(events: number, trials: number): Share {
  if (trials === 0) return { share: 0, low: 0, high: 1 };
  const z = 1.959964;
  const share = events / trials;
  const centre = share + (z * z) / (2 * trials);
  const spread = z * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials));
  const scale = 1 + (z * z) / trials;
  return { share, low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) };
}
