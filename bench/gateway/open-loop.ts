// node open-loop.ts PORT TARGET RATE SECONDS   Requests at a fixed rate, whether answers come or not; prints latencies (ms) as JSON.
import { connect, type Socket } from 'node:net';

const [port, target, rate, seconds] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4]), Number(process.argv[5])];
const request = Buffer.from(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);

interface Client {
  readonly socket: Socket;
  due: number;
  text: string;
  hasFirstByte: boolean;
}

const free: Client[] = [];
const latencies: number[] = [];
const firstBytes: number[] = [];
let failed = 0;
let open = 0;

function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return false;
  const length = /content-length: (\d+)/i.exec(text.slice(0, head))?.[1];
  return length === undefined ? text.endsWith('0\r\n\r\n') : text.length >= head + 4 + Number(length);
}

function createClient(): Client {
  const client: Client = { socket: connect({ port, host: '127.0.0.1', noDelay: true }), due: 0, text: '', hasFirstByte: false };
  client.socket.on('data', (data: Buffer) => {
    client.text += data.toString('latin1');
    const head = client.text.indexOf('\r\n\r\n');
    if (!client.hasFirstByte && head !== -1 && client.text.length > head + 4) {
      client.hasFirstByte = true;
      firstBytes.push(performance.now() - client.due);
    }
    if (!isWhole(client.text)) return;
    latencies.push(performance.now() - client.due);
    if (!client.text.startsWith('HTTP/1.1 200')) failed += 1;
    open -= 1;
    free.push(client);
  });
  client.socket.on('error', () => (failed += 1));
  return client;
}

function send(due: number): void {
  const client = free.pop() ?? createClient();
  client.due = due;
  client.text = '';
  client.hasFirstByte = false;
  open += 1;
  client.socket.write(request);
}

// From when a request was due, so that a client held up by a slow answer does not hide it (coordinated omission).
const began = performance.now();
let sent = 0;
const warmUp = rate;
function turn(): void {
  const now = performance.now();
  while (sent < rate * seconds && began + (sent * 1_000) / rate <= now) {
    send(began + (sent * 1_000) / rate);
    sent += 1;
  }
  if (sent < rate * seconds) setImmediate(turn);
  else if (open > 0 && now < began + seconds * 1_000 + 5_000) setTimeout(turn, 5);
  else finish();
}
turn();

function finish(): void {
  const steady = latencies.slice(Math.min(warmUp, latencies.length >> 1)).toSorted((left, right) => left - right);
  const first = firstBytes.slice(Math.min(warmUp, firstBytes.length >> 1)).toSorted((left, right) => left - right);
  const result = { p50Ms: at(steady, 0.5), p99Ms: at(steady, 0.99), firstByteMs: at(first, 0.5), failed: failed + open };
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
}

function at(values: readonly number[], share: number): number {
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}
