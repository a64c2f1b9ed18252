// Many clients of one OFREP server in one process: node --experimental-eventsource clients.ts URL KEY COUNT [plain]. Each is the provider for web
// pages from npm, with its own stream of changes and its own copy of all flags; `plain` ones do the same by bare HTTP, for where so many
// providers in one process would take longer than the server. A line `true` or `false` on standard input asks for the times at
// which each client has that value of the flag `cite`; the answer is a line of JSON. Prints `ready` when all hold their flags.
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { ProviderEvents } from '@openfeature/web-sdk';
import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as setTimeoutAsync } from 'node:timers/promises';

const [url = '', key = '', count = '1', kind = 'provider'] = process.argv.slice(2);
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface Seen {
  readonly value: boolean;
  readonly at: number;
}
const seen: Seen[] = [];
let lookAgain = (): void => undefined;

const contextOf = (index: number) => ({ targetingKey: `user-${index}`, plan: 'pro' });

function note(index: number, value: boolean): void {
  if (seen[index]?.value !== value) seen[index] = { value, at: Date.now() };
  lookAgain();
}

async function provider(index: number): Promise<void> {
  const provider = new OFREPWebProvider({ baseUrl: url, pollInterval: 0, headers: [['X-API-Key', key]] }, silent);
  const context = contextOf(index);
  const look = (): void => note(index, provider.resolveBooleanEvaluation('cite', false, context).value);
  provider.events?.addHandler(ProviderEvents.ConfigurationChanged, look);
  await provider.initialize(context);
  look();
}

/** How long the provider waits for further events before it fetches. */
const debounceMs = 50;

async function plain(index: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const body = JSON.stringify({ context: contextOf(index) });
  const headers = { 'x-api-key': key, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  let etag: string | undefined;
  const fetchAll = async (query: string): Promise<string> => {
    const path = `${url}/ofrep/v1/evaluate/flags${query}`;
    const answer = await admitted(() =>
      request(path, { agent, method: 'POST', headers: { ...headers, ...(etag !== undefined && { 'if-none-match': etag }) } }).end(body),
    );
    const text = (await answer.toArray()).join('');
    if (answer.statusCode !== 200) return '';
    etag = answer.headers.etag;
    const { flags, eventStreams } = JSON.parse(text) as {
      flags: { key: string; value: boolean }[];
      eventStreams: { endpoint: { requestUri: string } }[];
    };
    note(index, flags.find((flag) => flag.key === 'cite')?.value ?? false);
    return eventStreams[0]?.endpoint.requestUri ?? '';
  };
  const streamPath = await fetchAll('');
  const events = await admitted(() => request(`${url}${streamPath}`, { agent: false }).end());
  events.on('data', (chunk: Buffer) => {
    const told = /"etag":"(\d+)"/.exec(chunk.toString());
    if (told !== null) setTimeout(() => void fetchAll(`?flagConfigEtag=${told[1]}`), debounceMs);
  });
}

/** Asks again where a key has asked for too much at once, when the answer says to. */
async function admitted(ask: () => ClientRequest): Promise<IncomingMessage> {
  for (;;) {
    const [answer] = (await once(ask(), 'response')) as [IncomingMessage];
    if (answer.statusCode !== 429) return answer;
    answer.resume();
    await setTimeoutAsync(Number(answer.headers['retry-after'] ?? '1') * 1_000);
  }
}

const client = kind === 'plain' ? plain : provider;

// Some at a time: this is about changes, not about a thousand pages that are opened at one moment.
const all = Array.from({ length: Number(count) }, (_, index) => index);
for (let first = 0; first < all.length; first += 50) await Promise.all(all.slice(first, first + 50).map(client));
console.log('ready');

createInterface({ input: process.stdin }).on('line', (line) => {
  const wanted = line === 'true';
  const late = setTimeout(() => tell(), 30_000);
  const tell = (): void => {
    clearTimeout(late);
    lookAgain = () => undefined;
    const times = seen.flatMap(({ value, at }) => (value === wanted ? [at] : []));
    console.log(JSON.stringify({ times, without: seen.length - times.length }));
  };
  lookAgain = () => {
    if (seen.every(({ value }) => value === wanted)) tell();
  };
  console.log('armed');
  lookAgain();
});
