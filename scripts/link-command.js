// After `npm install` in a clone: puts `sluice` on the PATH of npm scripts and of npx, as npm does for an installed package.
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
if (existsSync(join(root, 'src'))) {
  const folder = join(root, 'node_modules', '.bin');
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, 'sluice'), { force: true });
  symlinkSync(join('..', '..', 'bin', 'sluice.js'), join(folder, 'sluice'));
}
