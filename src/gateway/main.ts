import { argv, exit, stderr } from 'node:process';
import { runGatewayProcess } from './gateway-process.ts';

const [, , folder, option] = argv;
if (folder === undefined) {
  stderr.write('usage: main <gateway folder> [--take-over]\n');
  exit(2);
}
runGatewayProcess(folder, { takeOver: option === '--take-over' }).catch((error: unknown) => {
  stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  exit(1);
});
