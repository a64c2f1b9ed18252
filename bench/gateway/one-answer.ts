import { connect } from 'node:net';
import { pause } from './processes.ts';

const pollMs = 2;

/** Asks again and again, each time by a connection of its own, until somebody answers, of this release if one is given. */
export async function answeredBy(port: number, host: string, letter: string | undefined): Promise<void> {
  for (;;) {
    const answer = await ask(port, host);
    if (answer !== undefined && (letter === undefined || answer === letter)) return;
    await pause(pollMs);
  }
}

/** The last letter of the answer. */
function ask(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let text = '';
    socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
    socket.on('close', () => resolve(text.startsWith('HTTP/1.1 200') ? text.at(-1) : undefined));
    socket.on('error', () => {});
    socket.write(`GET /small HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  });
}
