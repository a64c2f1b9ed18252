import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';

// A page of a web application: it holds all flags and prints the value of one whenever it hears that something has changed.
const [url = '', key = ''] = process.argv.slice(2);
await OpenFeature.setContext({ targetingKey: 'ann', plan: 'pro' });
const client = OpenFeature.getClient();
const print = (): void =>
  void process.stdout.write(`${JSON.stringify({ value: client.getBooleanValue('cite', false), at: Date.now() })}\n`);
client.addHandler(ProviderEvents.Ready, print);
client.addHandler(ProviderEvents.ConfigurationChanged, print);
await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl: url, pollInterval: 0, headers: [['X-API-Key', key]] }));
