import { problem, type Problem } from '../../errors/sluice-error.ts';
import { outputExpressions } from '../../stack/interpolate.ts';
import { kindSpecs } from '../../stack/kinds/index.ts';
import type { ServiceFields } from '../../stack/kinds/service.ts';
import type { ResolvedBlock } from '../../stack/stack.ts';

/** Secrets that a source would show: URLs and queries end up in logs of others, arguments in the list of processes. */
export function shownSecrets(block: ResolvedBlock, { rollout }: ServiceFields): readonly Problem[] {
  const declared = (['analysis', 'preview'] as const).flatMap((of) =>
    (rollout[of]?.metrics ?? []).map((source, index) => ({ source, path: `rollout.${of}.metrics.${index}` })),
  );
  return declared.flatMap(({ source: { name, prometheus, http, command = [] }, path }) => {
    const shown = [prometheus?.url, prometheus?.query, http?.url, ...command].filter((text) => text !== undefined);
    return outputExpressions(shown)
      .filter(({ kind, output }) => kindSpecs[kind].outputs[output]?.secret === true)
      .map(({ text }) =>
        problem(
          'source_shows_secret',
          { service: block.name, source: name, text },
          { position: block.positionOf(path), address: block.address },
        ),
      );
  });
}
