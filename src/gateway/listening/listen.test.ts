import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { listen } from './listen.ts';

test('a server that is refused its port many times listens when it is free, and has collected nothing', async () => {
  const thief = createServer();
  await once(thief.listen(0, '127.0.0.1'), 'listening');
  const { port } = thief.address() as AddressInfo;
  const server = createServer();
  for (let tries = 0; tries < 12; tries += 1) {
    await expect(listen(server, '127.0.0.1', port)).rejects.toMatchObject({ code: 'gateway_port_taken' });
  }
  expect(server.listenerCount('listening')).toBe(0);
  await new Promise((resolve) => thief.close(resolve));
  expect(await listen(server, '127.0.0.1', port)).toBe(port);
  expect(server.listenerCount('listening')).toBe(0);
  await new Promise((resolve) => server.close(resolve));
});
