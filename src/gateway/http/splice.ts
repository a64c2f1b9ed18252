import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Joins two connections byte by byte after a protocol switch. Each direction has back-pressure; the end of one side is passed on; `ended`
 * is called once, when either side has closed.
 */
export function splice(
  client: Socket,
  upstream: Duplex,
  first: { readonly toClient: string; readonly upstreamHead: Buffer; readonly clientHead: Buffer },
  ended: () => void,
): void {
  let hasEnded = false;
  const close = (): void => {
    if (hasEnded) return;
    hasEnded = true;
    client.destroy();
    upstream.destroy();
    ended();
  };
  for (const side of [client, upstream]) {
    side.on('error', close);
    side.on('close', close);
  }
  client.setTimeout(0);
  client.setNoDelay(true);
  (upstream as Socket).setTimeout(0);
  (upstream as Socket).setNoDelay(true);
  client.write(first.toClient, 'latin1');
  if (first.upstreamHead.length > 0) client.write(first.upstreamHead);
  if (first.clientHead.length > 0) upstream.write(first.clientHead);
  if (client.destroyed || upstream.destroyed) {
    close();
    return;
  }
  upstream.pipe(client);
  client.pipe(upstream);
}

/** The 101 answer as it goes to the client: the instance's own fields, `Connection` and `Upgrade` included. */
export function switchingHead(answer: IncomingMessage, requestId: string): string {
  let text = 'HTTP/1.1 101 Switching Protocols\r\n';
  const raw = answer.rawHeaders;
  for (let index = 0; index < raw.length; index += 2) text += `${raw[index]}: ${raw[index + 1]}\r\n`;
  return `${text}x-request-id: ${requestId}\r\n\r\n`;
}
