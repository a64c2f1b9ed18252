// Runs the command of its arguments and ends as it ends. When whoever has started it is gone, however that came, it ends its whole process
// group, and itself with it: a command outlives no control plane. The kernel closes the channel of a process that was killed, so that
// nothing has to be written down and found again.
import { spawn } from 'node:child_process';

const [program = '', ...parameters] = process.argv.slice(2);

function endAll(): void {
  process.kill(-process.pid, 'SIGKILL');
}

process.once('disconnect', endAll);
if (!process.connected) endAll();

const command = spawn(program, parameters, { stdio: ['ignore', 'inherit', 'inherit'] });
command.once('error', ({ code }: NodeJS.ErrnoException) => {
  // Stays until it is ended, so that the word is heard first.
  process.channel?.ref();
  process.send?.({ refused: code ?? 'unknown' });
});
command.once('exit', (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  process.kill(process.pid, signal);
});
