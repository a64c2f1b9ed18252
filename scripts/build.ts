// Compiles src/ to dist/ (JavaScript and types) for the package, and checks that what package.json promises is there.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
execFileSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
for (const file of globSync('src/**/*.{html,json,css,svg}', { cwd: root, exclude: (path) => path.includes('testdata') })) {
  cpSync(join(root, file), join(dist, file.slice('src/'.length)));
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string | Record<string, string>>;
};
const promised = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)));
const missing = [
  ...promised,
  './dist/cli/main.js',
  './dist/control-plane/main.js',
  './dist/gateway/main.js',
  './dist/gateway/worker/main.js',
  './dist/rollout/sources/command-guard.js',
].filter((file) => !existsSync(join(root, file)));
if (missing.length > 0) {
  console.error(`build: package.json promises files that were not built: ${missing.join(', ')}`);
  process.exit(1);
}
console.log(`built ${globSync('**/*.js', { cwd: dist }).length} modules into ${dirname(join(dist, 'x')).slice(root.length)}`);
