import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testdata/temporary-folder.ts';
import { homeTarget, stackTarget } from './target.ts';

const none = { home: undefined };

describe('the stack a command is for', () => {
  it('is the current folder by default, with its home beside it', async () => {
    const directory = await temporaryFolder();
    expect(stackTarget(undefined, none, { directory, environment: {} })).toEqual({
      path: directory,
      root: directory,
      home: join(directory, '.sluice'),
    });
  });

  it('may be a file: its folder is the root', async () => {
    const directory = await temporaryFolder();
    await mkdir(join(directory, 'sub'));
    await writeFile(join(directory, 'sub', 'one.yaml'), '');
    const target = stackTarget('sub/one.yaml', none, { directory, environment: {} });
    expect(target).toEqual({ path: join(directory, 'sub/one.yaml'), root: join(directory, 'sub'), home: join(directory, 'sub/.sluice') });
  });

  it('has its home where --home or else SLUICE_HOME says', async () => {
    const directory = await temporaryFolder();
    const environment = { SLUICE_HOME: 'from-environment' };
    expect(stackTarget(undefined, none, { directory, environment }).home).toBe(join(directory, 'from-environment'));
    expect(stackTarget(undefined, { home: 'given' }, { directory, environment }).home).toBe(join(directory, 'given'));
    expect(stackTarget(undefined, none, { directory, environment: { SLUICE_HOME: '' } }).home).toBe(join(directory, '.sluice'));
  });

  it('has to be there', async () => {
    const directory = await temporaryFolder();
    expect(() => stackTarget('nope.yaml', none, { directory, environment: {} })).toThrow(
      expect.objectContaining({ code: 'stack_not_found' }),
    );
  });
});

describe('the home of a command that names no stack', () => {
  it('is the nearest one upward', async () => {
    const directory = await temporaryFolder();
    await mkdir(join(directory, '.sluice'));
    await mkdir(join(directory, 'deep/er'), { recursive: true });
    expect(homeTarget({}, none, { directory: join(directory, 'deep/er'), environment: {} })).toEqual({
      home: join(directory, '.sluice'),
      root: directory,
    });
  });

  it('is that of --stack when given, and may be named outright', async () => {
    const directory = await temporaryFolder();
    await mkdir(join(directory, 'other'));
    const where = { directory, environment: {} };
    expect(homeTarget({ stack: 'other' }, none, where).home).toBe(join(directory, 'other/.sluice'));
    expect(homeTarget({}, { home: 'other/.sluice' }, where)).toEqual({
      home: join(directory, 'other/.sluice'),
      root: join(directory, 'other'),
    });
  });

  it('is an error with a next step where there is none', async () => {
    const directory = await temporaryFolder();
    expect(() => homeTarget({}, none, { directory, environment: {} })).toThrow(expect.objectContaining({ code: 'home_not_found' }));
  });
});
