import { argv, exit, stderr } from 'node:process';
import { runGatewayProcess } from './gateway-process.ts';

const folder = argv[2];
if (folder === undefined) {
  stderr.write('usage: main <gateway folder>\n');
  exit(2);
}
runGatewayProcess(folder).catch((error: unknown) => {
  stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  exit(1);
});
