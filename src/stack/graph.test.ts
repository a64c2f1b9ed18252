import { describe, expect, it } from 'vitest';
import { dotText, mermaidText, renderGraph } from './graph.ts';
import { loadStackText } from './load.ts';

const loaded = loadStackText(`resource_group: { name: g }
service:
  - { name: a, resource_group_name: g, source: a, command: [a], version: 1.0.0, calls: [b] }
  - { name: b, source: a, command: [a], version: 1.0.0, calls: [a] }
`);
const render = (format: 'mermaid' | 'dot') => (loaded.ok ? renderGraph(loaded.value, format) : '');

describe('renderGraph', () => {
  it('draws blocks and references for Mermaid, calls dotted', () => {
    expect(render('mermaid')).toBe(`flowchart LR
  n0["resource_group<br/>g"]
  n1["service<br/>a"]
  n2["service<br/>b"]
  n1 --> n0
  n1 -.-> n2
  n2 -.-> n1
`);
  });

  it('draws the same for Graphviz', () => {
    expect(render('dot')).toBe(`digraph "default" {
  rankdir=LR;
  node [shape=box];
  n0 [label="resource_group\\ng"];
  n1 [label="service\\na"];
  n2 [label="service\\nb"];
  n1 -> n0;
  n1 -> n2 [style=dotted];
  n2 -> n1 [style=dotted];
}
`);
  });

  it('no text can leave its label', () => {
    expect(mermaidText('a"]; click n0 "javascript:x"')).not.toMatch(/["\]]/);
    expect(dotText('a"]\\\n')).toBe('a\\"]\\\\ ');
  });
});
