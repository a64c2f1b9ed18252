import { canListen } from '../effects/ports.ts';
import { systemRandom } from '../effects/random.ts';

/**
 * Below the ports Linux gives to outgoing connections (32,768 on) and above those of instances (up to 30,240): a port found here is still
 * free when the server under test opens it, however many connections other tests make meanwhile.
 */
const first = 30_250;
const portsEach = 500;
const workers = 5;

const begin = first + (Number(process.env['VITEST_POOL_ID'] ?? 0) % workers) * portsEach;
let next = Math.floor(systemRandom.next() * portsEach);

/** A TCP port of 127.0.0.1 on which nothing listens, not given to another test of this worker for hundreds of calls, and to none of another worker. */
export async function testPort(): Promise<number> {
  for (let tried = 0; tried < portsEach; tried += 1) {
    const port = begin + next;
    next = (next + 1) % portsEach;
    if (await canListen('127.0.0.1', port)) return port;
  }
  throw new Error(`every port from ${begin} to ${begin + portsEach - 1} is taken`);
}
