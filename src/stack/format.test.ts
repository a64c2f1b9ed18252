import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatStack } from './format.ts';

function format(text: string): string {
  const formatted = formatStack(text, 'stack.yaml');
  if (!formatted.ok) throw new Error('not formatted');
  return formatted.value;
}

describe('formatStack', () => {
  it('settles indentation, spacing and empty lines', () => {
    expect(format('service:\n- name:   a\n  command: [ node,server.ts ]\n\n\n\n  env: {A: "x",B: y}\n')).toBe(
      'service:\n  - name: a\n    command: [node, server.ts]\n\n    env: { A: "x", B: y }\n',
    );
  });

  it('keeps comments, order, quotes, anchors, escapes and block texts', () => {
    const text = `# first
b: &x
  name: 'a' # single
  other: "\\t[ x ]"
  text: |
    [ as  it ]
     stands

a: *x

# last
`;
    expect(format(text)).toBe(text);
  });

  it.each(['customer-support.yaml', 'iac_config.yaml'])('changes nothing in %s but the space before comments', (name) => {
    const text = readFileSync(join(import.meta.dirname, 'testdata', name), 'utf8');
    expect(format(text)).toBe(text.replaceAll(/ +(?=# )/g, ' ').replaceAll(/^ (?=#)/gm, ''));
    expect(format(format(text))).toBe(format(text));
  });

  it('says what is wrong with a text that is no YAML, and keeps one that is empty', () => {
    expect(formatStack('a: [', 'x.yaml')).toMatchObject({ ok: false, problems: [{ code: 'yaml_invalid', position: { file: 'x.yaml' } }] });
    expect(format('# only this\n')).toBe('# only this\n');
  });
});
