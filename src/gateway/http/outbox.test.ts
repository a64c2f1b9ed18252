import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { portOf } from '../testing/raw-client.ts';
import { flushDue, Outbox } from './outbox.ts';

test('what is due leaves at once when that is asked for, in one piece, and what comes after it as before', async () => {
  const server = createServer();
  const port = await portOf(server);
  const socket = connect(port, '127.0.0.1');
  const [[received]] = await Promise.all([once(server, 'connection'), once(socket, 'connect')]);
  const outbox = new Outbox(socket);
  outbox.add('one ');
  outbox.flushSoon();
  outbox.add('and two');
  flushDue();
  expect({ sent: socket.bytesWritten, isDue: outbox.isDue }).toEqual({ sent: 11, isDue: false });
  outbox.add(', three');
  outbox.flushSoon();
  expect(socket.bytesWritten).toBe(11);
  let text = '';
  for await (const piece of received as AsyncIterable<Buffer>) if ((text += piece.toString()).endsWith('three')) break;
  expect(text).toBe('one and two, three');
  socket.destroy();
  server.close();
});
