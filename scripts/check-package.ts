// Packs the package, installs the tarball into an empty folder, and runs `sluice init`, `up` and `down` there, as a new user would.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sluice-package-'));

function run(program: string, parameters: readonly string[], cwd = folder): string {
  console.log(`$ ${program} ${parameters.join(' ')}`);
  return execFileSync(program, parameters, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 64 * 1024 * 1024 });
}

try {
  const packed = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], root).replace(/^[^[{]*/, '')) as unknown;
  const [tarball] = (Array.isArray(packed) ? packed : Object.values(packed as object)) as {
    filename: string;
    size: number;
    entryCount: number;
  }[];
  if (tarball === undefined) throw new Error('npm pack made no tarball');
  console.log(`${tarball.filename}: ${Math.round(tarball.size / 1024)} KiB, ${tarball.entryCount} files`);

  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'try', private: true, type: 'module' }));
  run('npm', ['install', '--no-audit', '--no-fund', join(folder, tarball.filename)]);
  run('npx', ['sluice', 'init']);
  console.log(run('npx', ['sluice', 'up', '--detach', '--yes']));
  const again = run('npx', ['sluice', 'up', '--detach', '--yes']);
  if (!again.includes('No changes')) throw new Error(`the second start changed something:\n${again}`);
  run('npx', ['sluice', 'destroy', '--yes']);
  run('npx', ['sluice', 'down']);
  console.log('the package works in an empty folder');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
