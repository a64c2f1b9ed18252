import pico from 'picocolors';
import { describe, expect, it } from 'vitest';
import { renderFields, renderTable } from './table.ts';
import { displayWidth } from './text.ts';

const colors = pico.createColors(false);
const columns = [{ title: 'name', flexible: true }, { title: 'state' }, { title: 'age', align: 'right' as const }];

describe('a table', () => {
  it('aligns columns by what they take on the screen', () => {
    const text = renderTable(
      columns,
      [
        ['日本', 'ready', '3s'],
        ['a', 'failed', '12m'],
      ],
      { colors },
    );
    expect(text).toBe('NAME  STATE   AGE\n日本  ready    3s\na     failed  12m\n');
  });

  it('shortens the flexible column first when the terminal is narrow', () => {
    const text = renderTable(columns, [['a-very-long-name-of-a-service', 'ready', '3s']], { colors, width: 24 });
    expect(text.split('\n')[1]).toBe('a-very-long…  ready   3s');
  });

  it('keeps every line within any width', () => {
    for (let width = 1; width < 60; width += 1) {
      const text = renderTable(columns, [['名前の長いサービス-one', 'crash_looping', '123456789']], { colors, width });
      for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }
  });

  it('puts what would be cut below its row where the column may go there, the last one first', () => {
    const more = [...columns, { title: 'url', flexible: true, below: true }, { title: 'message', flexible: true, below: true }];
    const rows = [
      ['web', 'failed', '3s', 'http://web.localhost:7080/', 'was not taken into use: errors got worse'],
      ['api', 'ready', '5s', 'http://api.localhost:7080/', ''],
    ];
    expect(renderTable(more, rows, { colors, width: 46 })).toBe(`NAME  STATE   AGE  URL
web   failed   3s  http://web.localhost:7080/
  message  was not taken into use: errors got
           worse
api   ready    5s  http://api.localhost:7080/
`);
    expect(renderTable(more, rows, { colors, width: 40 }).split('\n')[2]).toBe('  url  http://web.localhost:7080/');
    for (let width = 1; width < 90; width += 1)
      for (const line of renderTable(more, rows, { colors, width }).split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    expect(renderTable(more, rows, { colors })).toContain('http://web.localhost:7080/  was not taken into use: errors got worse\n');
  });

  it('leaves out a flexible column nobody has anything for, but only where somebody looks', () => {
    const withMessage = [{ title: 'name' }, { title: 'message', flexible: true }];
    expect(renderTable(withMessage, [['a', '']], { colors, width: 80 })).toBe('NAME\na\n');
    expect(renderTable(withMessage, [['a', '']], { colors })).toBe('NAME  MESSAGE\na\n');
  });

  it('shows everything when nobody looks at lines', () => {
    const name = 'x'.repeat(500);
    expect(renderTable(columns, [[name, 'ready', '1s']], { colors })).toContain(name);
  });

  it('shows control characters of a cell as text', () => {
    expect(renderTable(columns, [['a\u001b[2J\nb', 'ready', '1s']], { colors })).toContain('a\\u001b[2J\\nb  ready');
  });

  it('paints a cell without changing its place', () => {
    const painted = renderTable([{ title: 'state', paint: (text) => `\u001b[32m${text}\u001b[39m` }, { title: 'age' }], [['ok', '1s']], {
      colors,
    });
    expect(painted).toContain('\u001b[32mok\u001b[39m     1s');
  });
});

describe('fields', () => {
  it('go on below where the terminal is too narrow, so that no number is lost', () => {
    const evidence = 'errors 4.1x to 19x of stable, 412 candidate requests';
    expect(renderFields([['evidence', `${evidence}\nfail`]], colors, { lineWidth: 40 })).toBe(
      'evidence  errors 4.1x to 19x of stable,\n          412 candidate requests\n          fail\n',
    );
  });

  it('are cut where a single word is wider than the terminal', () => {
    expect(renderFields([['folder', '/a/long/way/to/a/stack']], colors, { indent: '  ', lineWidth: 20 })).toBe('  folder  /a/long/w…\n');
  });

  it('stand under each other, with further lines of a value indented', () => {
    const text = renderFields(
      [
        ['id', 'x'],
        ['depends on', 'a\nb'],
      ],
      colors,
    );
    expect(text).toBe('id          x\ndepends on  a\n            b\n');
  });
});
