import { connect } from 'node:net';

/**
 * Whether a Redis or Valkey server accepts the password and answers PING. Commands and replies are those of RESP2; every reply here is
 * one line.
 */
export function answersPing(endpoint: { readonly host: string; readonly port: number; readonly password: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: endpoint.host, port: endpoint.port });
    let replies = '';
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => done(false));
    socket.on('error', () => done(false));
    socket.on('close', () => done(false));
    socket.on('connect', () => socket.write(command('AUTH', endpoint.password) + command('PING')));
    socket.on('data', (chunk: Buffer) => {
      replies += chunk.toString('latin1');
      if (replies.split('\r\n').length > 2) done(replies === '+OK\r\n+PONG\r\n');
    });
  });
}

function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
