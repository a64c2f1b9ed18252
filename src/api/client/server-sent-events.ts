/** One message of a `text/event-stream`. */
export interface ServerSentMessage {
  readonly id?: string;
  readonly event?: string;
  readonly data: string;
}

/**
 * Messages of a stream as they arrive (HTML Living Standard, section 9.2.6). Comments are passed over; `onActivity` is told of every
 * piece of the stream, comments included, so that a caller can tell a quiet stream from a dead one.
 */
export async function* readServerSentEvents(body: AsyncIterable<Uint8Array>, onActivity: () => void): AsyncIterable<ServerSentMessage> {
  const decoder = new TextDecoder();
  let rest = '';
  let message: { id?: string; event?: string; data: string[] } = { data: [] };
  for await (const bytes of body) {
    onActivity();
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const ended of lines) {
      const line = ended.endsWith('\r') ? ended.slice(0, -1) : ended;
      if (line === '') {
        if (message.data.length > 0) yield { ...message, data: message.data.join('\n') };
        message = { data: [] };
        continue;
      }
      const colon = line.indexOf(':');
      const field = colon === -1 ? line : line.slice(0, colon);
      const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'data') message.data.push(value);
      else if (field === 'id') message.id = value;
      else if (field === 'event') message.event = value;
    }
  }
}
