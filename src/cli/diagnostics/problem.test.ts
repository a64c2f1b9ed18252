import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pico from 'picocolors';
import { describe, expect, it } from 'vitest';
import { problem, sluiceError } from '../../errors/sluice-error.ts';
import { capturedTerminal } from '../testdata/captured-terminal.ts';
import { temporaryFolder } from '../testdata/temporary-folder.ts';
import { renderError } from './error.ts';
import { located } from './located.ts';
import { renderProblem } from './problem.ts';

const colors = pico.createColors(false);
const at = (file: string, line: number, column: number) =>
  problem('unsupported_field', { kind: 'service', field: 'scaling' }, { position: { file, line, column } });

describe('a finding', () => {
  it('shows its place, its line with a caret, and what to do', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'stack.yaml'), 'service:\n  name: 日本 x\n  scaling: {}\n');
    expect(renderProblem(at('stack.yaml', 3, 3), { colors, folders: [folder] })).toBe(
      [
        "stack.yaml:3:3  unsupported_field  'scaling' of a service cannot be applied yet.",
        '    3 │   scaling: {}',
        '      │   ^',
        "  help: Remove 'scaling'; it would be ignored, and Sluice never ignores what a stack declares.",
        '',
      ].join('\n'),
    );
  });

  it('puts the caret under the character also after wide ones', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'stack.yaml'), 'name: 日本 x\n');
    expect(renderProblem(at('stack.yaml', 1, 10), { colors, folders: [folder] })).toContain('    1 │ name: 日本 x\n      │            ^\n');
  });

  it('escapes what a hostile file holds and cuts lines to the terminal', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'stack.yaml'), `a: "\u001b[2J${'x'.repeat(300)}"\n`);
    const text = renderProblem(at('stack.yaml', 1, 1), { colors, folders: [folder], width: 60 });
    expect(text).not.toContain('\u001b');
    expect(text.split('\n')[1]).toMatch(/^ {4}1 │ a: "\\u001b\[2Jx+…$/);
  });

  it('goes without the line when the file cannot be read', async () => {
    const text = renderProblem(at('gone.yaml', 3, 3), { colors, folders: [await temporaryFolder()] });
    expect(text.split('\n')).toHaveLength(3);
    expect(text).toMatch(/^gone\.yaml:3:3 {2}unsupported_field/);
  });

  it('about a resource names its address', () => {
    const finding = problem(
      'unsupported_kind',
      { kind: 'queue', provider: 'local' },
      { address: 'production/queue/jobs', severity: 'warning' },
    );
    expect(renderProblem(finding, { colors, folders: ['/'] })).toMatch(
      /^production\/queue\/jobs {2}warning: unsupported_kind {2}The kind 'queue'/,
    );
  });

  it('is located in the folder of its stack, and left as it is where there is no such file', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'stack.yaml'), '');
    const files = located([at('stack.yaml', 1, 1), at('other.yaml', 1, 1)], folder).map(({ position }) => position?.file);
    expect(files).toEqual([join(folder, 'stack.yaml'), 'other.yaml']);
  });
});

describe('an error', () => {
  it('comes after its findings, with its code and its help', () => {
    const error = sluiceError('plan_refused', { count: 1 }, { problems: [at('gone.yaml', 1, 2)] });
    const lines = renderError(error, capturedTerminal('/')).split('\n');
    expect(lines[0]).toMatch(/^gone\.yaml:1:2/);
    expect(lines.slice(-3)).toEqual([
      'error[plan_refused]: The stack cannot be planned: 1 error.',
      '  help: Correct what is listed and plan again; nothing has been changed.',
      '',
    ]);
  });

  it('that stands for one finding without a place says it once', () => {
    const finding = problem('unsupported_kind', { kind: 'queue', provider: 'local' }, { address: 'default/queue/jobs' });
    const error = sluiceError('unsupported_kind', { kind: 'queue', provider: 'local' }, { problems: [finding] });
    expect(renderError(error, capturedTerminal('/')).split('cannot be applied yet')).toHaveLength(2);
  });

  it('cannot steer the terminal', () => {
    expect(renderError(sluiceError('usage', { reason: 'a\u001b[2Jb\nc' }), capturedTerminal('/'))).toContain('a\\u001b[2Jb\n  c');
  });
});
