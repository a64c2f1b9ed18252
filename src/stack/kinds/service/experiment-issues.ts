/** What else an experiment needs of its rollout. An empty field is the rollout itself. */
export function experimentIssues(rollout: {
  readonly strategy: string;
  readonly experiment?: unknown;
  readonly affinity?: unknown;
  readonly analysis?: { readonly metrics: readonly unknown[] } | undefined;
  readonly baseline?: boolean | undefined;
}): readonly { readonly field: readonly string[]; readonly message: string }[] {
  const { strategy, experiment, affinity, analysis, baseline } = rollout;
  if (experiment === undefined) return [];
  const found: { field: readonly string[]; message: string }[] = [];
  if (strategy === 'auto') found.push({ field: ['experiment'], message: 'left out, or the strategy canary: auto may choose another' });
  if (affinity === undefined) {
    found.push({ field: [], message: 'an object with affinity, without which no user stays in an arm of the experiment' });
  }
  if (analysis === undefined) {
    found.push({ field: [], message: 'an object with analysis, which withdraws an arm of the experiment that does harm' });
  }
  if ((analysis?.metrics.length ?? 0) > 0) {
    found.push({
      field: ['analysis', 'metrics'],
      message: 'left out: such sources speak of one candidate and not of each arm of an experiment',
    });
  }
  if (baseline === true) {
    found.push({ field: ['baseline'], message: 'left out: the arms of an experiment are compared with the stable release itself' });
  }
  return found;
}
