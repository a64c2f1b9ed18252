import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { environment, oneOf, stackArgument, variables } from '../options.ts';
import { valueOf } from '../target/stack-problems.ts';
import { stackTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';

export const command = defineCommand({
  description: 'Prints what depends on what, as a Mermaid or Graphviz (DOT) text. Needs no control plane.',
  arguments: [stackArgument],
  options: { format: oneOf(['mermaid', 'dot'], 'Language of the drawing', 'mermaid'), environment, var: variables },
  examples: [
    { command: 'sluice graph', comment: 'Mermaid: paste it into a README' },
    { command: 'sluice graph --format dot | dot -Tsvg > stack.svg', comment: 'with Graphviz' },
  ],
  exitCodes: { 0: 'done', 1: 'the stack is not valid' },
  run: async ({ terminal, global, arguments: { stack }, options }) => {
    const target = stackTarget(stack, global, terminal);
    const [{ loadStack }, { renderGraph }] = await Promise.all([import('../../stack/load.ts'), import('../../stack/graph.ts')]);
    const loaded = await loadStack(target.path, {
      variables: options.var,
      ...(options.environment !== undefined && { environment: options.environment }),
    });
    const graph = renderGraph(valueOf(loaded, target, terminal), options.format);
    if (global.json) printJson(terminal, { format: options.format, graph });
    else terminal.out.write(graph.endsWith('\n') ? graph : `${graph}\n`);
    return exitCodes.ok;
  },
});
