import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { bindSocket } from './bound-socket.ts';
import { listenOn } from './listen.ts';

test('a socket is bound once, and whoever is given it listens', async () => {
  const { socket, port } = await bindSocket('127.0.0.1', 0);
  const server = createServer((connection) => connection.end('hello'));
  await listenOn(server, socket, '127.0.0.1', port);
  const client = connect(port, '127.0.0.1');
  expect(String((await once(client, 'data'))[0])).toBe('hello');
  await expect(bindSocket('127.0.0.1', port)).rejects.toMatchObject({ code: 'gateway_port_taken' });
  await new Promise((resolve) => server.close(resolve));
  const again = await bindSocket('127.0.0.1', port);
  expect(again.port).toBe(port);
  again.socket.close();
});

test('of two that were bound at the same time only the first to listen has the port', async () => {
  const first = await bindSocket('127.0.0.1', 0);
  const second = await bindSocket('127.0.0.1', first.port);
  const winner = createServer();
  await listenOn(winner, first.socket, '127.0.0.1', first.port);
  await expect(listenOn(createServer(), second.socket, '127.0.0.1', first.port)).rejects.toMatchObject({ code: 'gateway_port_taken' });
  await new Promise((resolve) => winner.close(resolve));
});

test('a port another program listens on, and an address that is not this machine’s, are refused', async () => {
  const thief = createServer();
  await once(thief.listen(0, '127.0.0.1'), 'listening');
  const { port } = thief.address() as AddressInfo;
  await expect(bindSocket('127.0.0.1', port)).rejects.toMatchObject({ code: 'gateway_port_taken' });
  await new Promise((resolve) => thief.close(resolve));
  await expect(bindSocket('192.0.2.1', 0)).rejects.toMatchObject({ code: 'gateway_port_taken' });
});
