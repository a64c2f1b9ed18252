import { readFile } from 'node:fs/promises';
import { containedPath } from '../../effects/files.ts';
import { problem, type Problem, SluiceError } from '../../errors/sluice-error.ts';
import type { EnvironmentFields } from '../../stack/kinds/environment.ts';
import type { ResolvedBlock, ResolvedStack } from '../../stack/stack.ts';
import { type Certificate, readCertificate, readChain } from '../tls/certificate.ts';

/** What can be known of an environment's certificates before they are used: that they are there, fit their keys and are valid now. */
export async function checkTls(stack: ResolvedStack, now = Date.now()): Promise<readonly Problem[]> {
  const block = stack.blocks.find(({ kind }) => kind === 'environment');
  const certificates = (block?.fields as EnvironmentFields | undefined)?.gateway?.tls?.certificates ?? [];
  const found: Problem[] = [];
  for (const [index, { certificate, key }] of certificates.entries()) {
    const at = (field: string) => place(block as ResolvedBlock, `gateway.tls.certificates.${index}.${field}`);
    const chain = await textAt(stack.root, certificate);
    // That a file is missing is said where the stack is loaded.
    if (chain === undefined) continue;
    // A key that is a secret is known only when it is used.
    const keyText = key.startsWith('${') ? undefined : await textAt(stack.root, key);
    if (keyText === undefined && !key.startsWith('${')) continue;
    try {
      const places = { certificate, key };
      const read = keyText === undefined ? readChain(chain, places) : readCertificate(chain, keyText, places);
      found.push(...validity(read, certificate, at('certificate'), now));
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      const { code, message, help } = error;
      found.push({ severity: 'error', code, message, help, ...at(message.includes(certificate) ? 'certificate' : 'key') });
    }
  }
  return found;
}

function validity({ validTo }: Pick<Certificate, 'validTo'>, file: string, at: ReturnType<typeof place>, now: number): Problem[] {
  if (now <= validTo) return [];
  return [problem('tls_certificate_expired', { place: file, at: new Date(validTo).toISOString() }, at)];
}

function place(block: ResolvedBlock, field: string) {
  return { position: block.positionOf(field), address: block.address };
}

async function textAt(root: string, path: string): Promise<string | undefined> {
  const absolute = containedPath(root, path);
  return absolute === undefined ? undefined : readFile(absolute, 'utf8').catch(() => undefined);
}
