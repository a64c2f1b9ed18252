import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Measured, measure } from './measure.ts';
import { controlPlaneFlags } from '../../src/control-plane/discovery.ts';
import { writeStack } from './stack-files.ts';

export const operations = ['plan', 'create', 'no-op', 'drift', 'destroy'] as const;
export type Operation = (typeof operations)[number];

/** Something that is measured. Every operation is one process; they are run in the order of `operations` in one folder. */
export interface Tool {
  readonly name: string;
  prepare(folder: string, size: number): Promise<void>;
  /** Undefined for what the tool has no equivalent of. */
  run(operation: Operation, folder: string, size: number): Promise<Measured> | undefined;
}

const here = fileURLToPath(new URL('.', import.meta.url));

export const sluice: Tool = {
  name: 'sluice',
  prepare: (folder, size) => writeStack(join(folder, 'stack'), size),
  run: (operation, folder) => measure(process.execPath, [...controlPlaneFlags, join(here, 'sluice.ts'), operation, folder], folder),
};

const alchemy: Tool = {
  name: 'alchemy 0.94.0',
  prepare: async () => {},
  run: (operation, folder, size) => {
    const phase = { create: 'up', 'no-op': 'up', destroy: 'destroy', plan: undefined, drift: undefined }[operation];
    return phase === undefined ? undefined : measure(process.execPath, [join(here, 'alchemy.js'), phase, String(size)], folder);
  },
};

function terraform(program: string): Tool {
  const same = ['-input=false', '-no-color'];
  const parameters: Readonly<Record<Operation, readonly string[]>> = {
    plan: ['plan', ...same],
    create: ['apply', ...same, '-auto-approve'],
    'no-op': ['plan', ...same],
    drift: ['plan', ...same, '-refresh-only'],
    destroy: ['destroy', ...same, '-auto-approve'],
  };
  return {
    name: program,
    prepare: async (folder, size) => {
      const groups = Math.ceil(size / 100);
      const resources: Record<string, object> = {};
      for (let index = 0; index < groups; index += 1) resources[`g${index}`] = { input: { name: `g${index}`, location: 'local' } };
      for (let index = 0; index < size - groups; index += 1) {
        const group = `\${terraform_data.g${index % groups}.output.name}`;
        resources[`n${index}`] = { input: { name: `n${index}`, group, address_space: '10.0.0.0/16' } };
      }
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'main.tf.json'), JSON.stringify({ resource: { terraform_data: resources } }));
      await measure(program, ['init', ...same], folder);
    },
    run: (operation, folder) => measure(program, parameters[operation], folder),
  };
}

/** The peers asked for that can run here; a note for each that cannot. */
export function peersOf(names: readonly string[]): { readonly tools: readonly Tool[]; readonly notes: readonly string[] } {
  const tools: Tool[] = [];
  const notes: string[] = [];
  for (const name of names) {
    if (name === 'alchemy') {
      if (isThere(join(here, '..', 'node_modules', 'alchemy', 'package.json'), constants.R_OK)) tools.push(alchemy);
      else notes.push('alchemy is left out: it is not installed (npm install --prefix bench --ignore-scripts)');
    } else if (name === 'tofu' || name === 'terraform') {
      if (onPath(name)) tools.push(terraform(name));
      else notes.push(`${name} is left out: it is not on PATH`);
    } else notes.push(`${name} is left out: it is not known here`);
  }
  return { tools, notes };
}

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => isThere(join(folder, program), constants.X_OK));
}

function isThere(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
