// Many clients of one OFREP server in one process: node --experimental-eventsource clients.ts URL KEY COUNT. Each is the provider for web pages
// from npm, with its own stream of changes and its own copy of all flags. A line `true` or `false` on standard input asks for the times at
// which each client has that value of the flag `cite`; the answer is a line of JSON. Prints `ready` when all hold their flags.
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { ProviderEvents } from '@openfeature/web-sdk';
import { createInterface } from 'node:readline';

const [url = '', key = '', count = '1'] = process.argv.slice(2);
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface Seen {
  readonly value: boolean;
  readonly at: number;
}
const seen: Seen[] = [];
let lookAgain = (): void => undefined;

async function client(index: number): Promise<void> {
  const provider = new OFREPWebProvider({ baseUrl: url, pollInterval: 0, headers: [['X-API-Key', key]] }, silent);
  const context = { targetingKey: `user-${index}`, plan: 'pro' };
  const note = (): void => {
    const { value } = provider.resolveBooleanEvaluation('cite', false, context);
    if (seen[index]?.value !== value) seen[index] = { value, at: Date.now() };
    lookAgain();
  };
  provider.events?.addHandler(ProviderEvents.ConfigurationChanged, note);
  await provider.initialize(context);
  note();
}

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
