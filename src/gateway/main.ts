import { argv, exit, stderr } from 'node:process';
import { useCompileCache } from './compile-cache.ts';

const [, , folder, option] = argv;
if (folder === undefined) {
  stderr.write('usage: main <gateway folder> [--take-over]\n');
  exit(2);
}
useCompileCache(folder);
const { runGatewayProcess } = await import('./gateway-process.ts');
runGatewayProcess(folder, { takeOver: option === '--take-over' }).catch((error: unknown) => {
  stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  exit(1);
});
