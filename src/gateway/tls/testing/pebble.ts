import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { testPort } from '../../../testing/test-port.ts';
import { until } from '../../../testing/conditions.ts';
import { createTestAuthority } from './authority.ts';

/** Pebble, the ACME server of Let's Encrypt for tests, with a name server that sends every host here. */
export interface Pebble {
  readonly directoryUrl: string;
  /** To trust the directory by. */
  readonly caFile: string;
  stop(): Promise<void>;
}

/** `httpPort`: where it asks for challenges instead of port 80. */
export async function startPebble(folder: string, httpPort: number): Promise<Pebble> {
  await mkdir(folder, { recursive: true });
  const authority = await createTestAuthority(join(folder, 'directory'));
  const { certificateFile, keyFile } = await authority.issue('pebble', ['localhost', '127.0.0.1']);
  const [port, management, dns] = [await testPort(), await testPort(), await testPort()];
  const config = {
    pebble: {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${management}`,
      certificate: certificateFile,
      privateKey: keyFile,
      httpPort,
      tlsPort: 5_001,
      ocspResponderURL: '',
      externalAccountBindingRequired: false,
    },
  };
  const configFile = join(folder, 'pebble.json');
  await writeFile(configFile, JSON.stringify(config));
  const names = ['-management', '', '-http01', '', '-https01', '', '-tlsalpn01', '', '-dns01', `127.0.0.1:${dns}`];
  // Some of the nonces it gives are refused, as real authorities do: RFC 8555 section 6.5.
  const env = { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '5' };
  const children = [
    spawn('pebble-challtestsrv', [...names, '-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''], { stdio: 'ignore' }),
    spawn('pebble', ['-config', configFile, '-dnsserver', `127.0.0.1:${dns}`], { stdio: 'ignore', env }),
  ];
  const directoryUrl = `https://127.0.0.1:${port}/dir`;
  await until('pebble', () => answers(directoryUrl, authority.ca));
  return {
    directoryUrl,
    caFile: authority.caFile,
    stop: async () => {
      await Promise.all(children.map(ended));
    },
  };
}

function answers(url: string, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { ca }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', () => resolve(false));
  });
}

function ended(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  return exit;
}
