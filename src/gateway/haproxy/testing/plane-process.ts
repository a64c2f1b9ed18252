import { argv, stdout } from 'node:process';
import { routingTable } from '../../routing-table.ts';
import { openPlane } from './open-plane.ts';

// A plane in a process of its own, for tests that kill it: argv is the binary, the folder and a table; prints the internal port and stays.
const [, , binary, folder, text] = argv as [string, string, string, string, string];
const plane = await openPlane(binary, folder);
const { internalPort } = await plane.start({ host: '127.0.0.1', port: 0 });
const prepared = await plane.prepare(routingTable.parse(JSON.parse(text)), { tolerateTakenPorts: false });
await prepared.commit();
stdout.write(`${internalPort}\n`);
setInterval(() => {}, 60_000);
