import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';

// A page of a web application: it holds all flags and prints the value of one whenever it hears that something has changed.
const [url = '', key = ''] = process.argv.slice(2);
await OpenFeature.setContext({ targetingKey: 'ann', plan: 'pro' });
const client = OpenFeature.getClient();
// Beside it one that hears nothing and asks again and again, which costs a 304 while nothing has changed.
const polling = OpenFeature.getClient('polling');
const print = (): void =>
  void process.stdout.write(
    `${JSON.stringify({ value: client.getBooleanValue('cite', false), polled: polling.getBooleanValue('cite', false), at: Date.now() })}\n`,
  );
for (const each of [client, polling]) {
  each.addHandler(ProviderEvents.Ready, print);
  each.addHandler(ProviderEvents.ConfigurationChanged, print);
}
const shared = { baseUrl: url, headers: [['X-API-Key', key] as [string, string]] };
await OpenFeature.setProviderAndWait('polling', new OFREPWebProvider({ ...shared, pollInterval: 100, changeDetection: 'polling' }));
await OpenFeature.setProviderAndWait(new OFREPWebProvider({ ...shared, pollInterval: 0 }));
