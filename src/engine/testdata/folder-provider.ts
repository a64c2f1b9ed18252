// A provider whose world is a folder, for tests with several processes: a resource is a file, every effect a line of `effects`.
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { Applied, Provider } from '../../providers/provider.ts';

/** While the file `gate` is there, calls for resources named `slow` are turned away as throttled. */
export function createFolderProvider(folder: string): Provider {
  const fileOf = (address: string): string => join(folder, `resource-${address.replaceAll('/', '.')}`);
  const effect = (call: string, address: string, work: () => void): void => {
    if (address.endsWith('/slow') && existsSync(join(folder, 'gate'))) {
      writeFileSync(join(folder, 'waiting'), String(process.pid));
      throw sluiceError('simulated_throttling', { address });
    }
    work();
    appendFileSync(join(folder, 'effects'), `${process.pid} ${call} ${address}\n`);
  };
  const made = (address: string): Applied => ({ id: readFileSync(fileOf(address), 'utf8'), outputs: {} });
  return {
    name: 'simulated',
    kinds: ['cache'],
    replaceFields: () => [],
    check: async () => [],
    fingerprint: async () => ({}),
    read: async ({ address }) => (existsSync(fileOf(address)) ? { status: 'present', drift: [] } : { status: 'absent' }),
    create: async ({ address }, { id }) => {
      if (!existsSync(fileOf(address)) || readFileSync(fileOf(address), 'utf8') !== id)
        effect('create', address, () => writeFileSync(fileOf(address), id));
      return made(address);
    },
    update: async ({ address }) => {
      effect('update', address, () => undefined);
      return made(address);
    },
    delete: async ({ address }) => effect('delete', address, () => rmSync(fileOf(address), { force: true })),
    suspend: async () => undefined,
    resume: async () => undefined,
  };
}
