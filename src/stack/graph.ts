import type { ResolvedStack } from './stack.ts';

export type GraphFormat = 'mermaid' | 'dot';

interface Edge {
  readonly from: number;
  readonly to: number;
  readonly ordering: boolean;
}

/** The blocks of a stack and what refers to what, as text for Mermaid or Graphviz. A dotted line only permits calls; it orders nothing. */
export function renderGraph(stack: ResolvedStack, format: GraphFormat): string {
  const index = new Map(stack.blocks.map(({ address }, position) => [address, position]));
  const edges = stack.blocks.flatMap((block, from) => {
    const byTarget = new Map<number, boolean>();
    for (const { address, ordering } of block.references) {
      const to = index.get(address);
      if (to !== undefined) byTarget.set(to, ordering || (byTarget.get(to) ?? false));
    }
    return [...byTarget].map(([to, ordering]): Edge => ({ from, to, ordering }));
  });
  return format === 'mermaid' ? renderMermaid(stack, edges) : renderDot(stack, edges);
}

function renderMermaid({ blocks }: ResolvedStack, edges: readonly Edge[]): string {
  return lines([
    'flowchart LR',
    ...blocks.map(({ kind, name }, position) => `  n${position}["${mermaidText(kind)}<br/>${mermaidText(name)}"]`),
    ...edges.map(({ from, to, ordering }) => `  n${from} ${ordering ? '-->' : '-.->'} n${to}`),
  ]);
}

function renderDot({ environment, blocks }: ResolvedStack, edges: readonly Edge[]): string {
  return lines([
    `digraph "${dotText(environment.name)}" {`,
    '  rankdir=LR;',
    '  node [shape=box];',
    ...blocks.map(({ kind, name }, position) => `  n${position} [label="${dotText(kind)}\\n${dotText(name)}"];`),
    ...edges.map(({ from, to, ordering }) => `  n${from} -> n${to}${ordering ? '' : ' [style=dotted]'};`),
    '}',
  ]);
}

/** Mermaid knows no backslash: everything but plain characters becomes a numeric entity. */
export function mermaidText(text: string): string {
  return text.replace(/[^\w .,:/-]/gu, (character) => `#${character.codePointAt(0) ?? 63};`);
}

export function dotText(text: string): string {
  return text.replace(/["\\]/g, '\\$&').replace(/[\n\r]/g, ' ');
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
