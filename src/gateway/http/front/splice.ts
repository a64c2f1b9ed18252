import type { Socket } from 'node:net';

/**
 * Joins two connections byte by byte after a protocol switch. Each direction has back-pressure; the end of one side is passed on; when
 * either side has closed, both are.
 */
export function splice(client: Socket, upstream: Socket): void {
  const close = (): void => {
    client.destroy();
    upstream.destroy();
  };
  for (const side of [client, upstream]) {
    side.on('error', close);
    side.on('close', close);
  }
  if (client.destroyed || upstream.destroyed) {
    close();
    return;
  }
  upstream.pipe(client);
  client.pipe(upstream);
}
