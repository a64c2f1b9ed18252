import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A certificate authority for one test, made by openssl in a folder. */
export interface TestAuthority {
  /** File for `curl --cacert` and the like. */
  readonly caFile: string;
  readonly ca: string;
  /** A certificate for the names with a key of its own; file names start with `label`. */
  issue(label: string, names: readonly string[], days?: number): Promise<{ certificateFile: string; keyFile: string }>;
}

export async function createTestAuthority(folder: string): Promise<TestAuthority> {
  await mkdir(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const own = ['-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '30', '-subj', '/CN=Test Authority'];
  const uses = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'];
  await run('openssl', ['req', '-x509', ...newKey, ...own, ...uses]);
  let serial = 1;
  return {
    caFile: at('ca.pem'),
    ca: await readFile(at('ca.pem'), 'utf8'),
    issue: async (label, names, days = 30) => {
      serial += 1;
      const alternative = names.map((name) => `${/^[\d.]+$/.test(name) ? 'IP' : 'DNS'}:${name}`).join(',');
      const [keyFile, certificateFile, extensions] = [at(`${label}.key`), at(`${label}.pem`), at(`${label}.ext`)];
      await writeFile(extensions, `subjectAltName=${alternative}\n`);
      await run('openssl', ['req', ...newKey, '-keyout', keyFile, '-out', at(`${label}.csr`), '-subj', `/CN=${names[0]}`]);
      const signer = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-set_serial', String(serial)];
      const made = ['-days', String(days), '-extfile', extensions, '-out', certificateFile];
      await run('openssl', ['x509', '-req', '-in', at(`${label}.csr`), ...signer, ...made]);
      return { certificateFile, keyFile };
    },
  };
}
