// A store's URL may hold a password, and a command line can be read by every user of the machine.
if (process.argv.some((word) => word.startsWith('--store'))) process.title = 'sluice';

const { createTerminal } = await import('./terminal/terminal.ts');
const { runCli } = await import('./run.ts');

// `sluice events | head`: the reader has seen enough.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
}

const code = await runCli(process.argv.slice(2), createTerminal(process));
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))));
process.exit(code);
