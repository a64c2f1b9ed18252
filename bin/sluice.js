#!/usr/bin/env node
// The command. Plain JavaScript that any Node can read: it finds a Node that is new enough, then the compiled program or, in a clone, its sources.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { constants, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 18)) {
  // Before anything else is loaded: compiled modules are kept between runs, which halves the start. Not in the folder for temporary files that
  // Node would choose: whoever makes it first could leave code there for others to run.
  module.enableCompileCache(
    process.env.NODE_COMPILE_CACHE ?? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice', 'compiled'),
  );
  const compiled = join(root, 'dist', 'cli', 'main.js');
  const sources = join(root, 'src', 'cli', 'main.ts');
  await import(pathToFileURL(existsSync(sources) ? sources : compiled).href);
} else {
  runWith(findNewerNode());
}

/** The Node that npm installed beside Sluice (its dependency `node`). */
function findNewerNode() {
  try {
    const path = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node');
    if (existsSync(path)) return path;
  } catch {
    // Not installed: the message below says what to do.
  }
  console.error(`sluice: Node ${process.versions.node} is too old; Sluice needs 22.18 or newer.\n  help: npm install node@24`);
  return process.exit(69);
}

function runWith(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}
