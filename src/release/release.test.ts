import { chmod, mkdir, mkdtemp, readFile, readdir, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../store/memory-store.ts';
import { type Digest, digestJson } from '../digest/digest.ts';
import { service, type ServiceFields } from '../stack/kinds/service.ts';
import { digestTree } from './content-tree.ts';
import { materialise, releaseFolder } from './materialise.ts';
import { readReleaseContent, releaseDigest, releaseId } from './release-content.ts';
import { createReleaseRecords } from './release-records.ts';
import type { Release } from './release.ts';

const imageDigest = async (reference: string): Promise<Digest> => digestJson(reference);

let folder: string;
let root: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'sluice-release-')));
  root = join(folder, 'stack');
  await write('agent/server.js', 'console.log(1)\n');
  await write('agent/lib/answer.js', 'export const answer = 42;\n');
  await write('prompts/system.md', 'Be kind.\n');
  await write('policy.yaml', 'allow: all\n');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function write(path: string, content: string): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), content);
}

function fields(extra: Record<string, unknown> = {}): ServiceFields {
  const declared = {
    name: 'agent',
    source: 'agent',
    command: ['node', 'server.js'],
    version: '1.0.0',
    prompts: 'prompts',
    policy: 'policy.yaml',
  };
  return service.schema.parse({ ...declared, ...extra });
}

const digestOf = async (extra?: Record<string, unknown>): Promise<string> =>
  releaseDigest(await readReleaseContent(fields(extra), root, imageDigest));

describe('the digest of a release', () => {
  it('is another one after a change to one word of any part, to the executable bit, or to what is declared', async () => {
    const seen = new Set([await digestOf()]);
    const expectNew = async (extra?: Record<string, unknown>): Promise<void> => {
      const digest = await digestOf(extra);
      expect(seen.has(digest)).toBe(false);
      seen.add(digest);
    };
    await write('prompts/system.md', 'Be very kind.\n');
    await expectNew();
    await write('policy.yaml', 'allow: none\n');
    await expectNew();
    await chmod(join(root, 'agent/server.js'), 0o755);
    await expectNew();
    await symlink('lib/answer.js', join(root, 'agent/link.js'));
    await expectNew();
    await expectNew({ env: { LOG_LEVEL: 'debug' } });
    await expectNew({ model: { name: 'm', version: '1', parameters: { temperature: 0 } } });
    await expectNew({ command: ['node', 'other.js'] });
  });

  it('is the same for the same content elsewhere, whatever the times, the version label, and what is never part of a release', async () => {
    const digest = await digestOf();
    await write('agent/.git/HEAD', 'ref: refs/heads/main\n');
    await write('agent/node_modules/left-pad/index.js', '');
    await write('agent/.sluice/state.db', '');
    await mkdir(join(root, 'agent/empty'));
    expect([await digestOf(), await digestOf({ version: '2.0.0' }), await digestOf({ replicas: 7 })]).toEqual([digest, digest, digest]);
  });

  it('holds a secret only as its reference', async () => {
    const content = await readReleaseContent(fields({ env: { KEY: '${secret.key}' } }), root, imageDigest);
    expect(content.environment).toEqual({ KEY: '${secret.key}' });
  });
});

describe('content that a release may not have', () => {
  it('is a link out of the folder, by its text or on disk', async () => {
    await symlink('/etc/passwd', join(root, 'agent/absolute'));
    await expect(digestTree(join(root, 'agent'))).rejects.toMatchObject({ code: 'content_link_outside' });
    await rm(join(root, 'agent/absolute'));
    await symlink('../policy.yaml', join(root, 'agent/upwards'));
    await expect(digestTree(join(root, 'agent'))).rejects.toMatchObject({ code: 'content_link_outside' });
  });

  it('is a path that leads out of the stack', async () => {
    await expect(readReleaseContent(fields({ source: '../elsewhere' }), root, imageDigest)).rejects.toMatchObject({
      code: 'service_path_outside',
    });
    await expect(readReleaseContent(fields({ source: 'missing' }), root, imageDigest)).rejects.toMatchObject({
      code: 'content_unreadable',
    });
  });
});

describe('materialising a release', () => {
  it('makes a read-only copy of every part that stays when the stack changes, and resolves packages', async () => {
    await write('node_modules/answers/index.js', 'module.exports = 42;\n');
    await chmod(join(root, 'agent/server.js'), 0o755);
    const content = await readReleaseContent(fields(), root, imageDigest);
    const target = releaseFolder(join(folder, 'home'), { environment: 'default', name: 'agent' }, releaseDigest(content));
    const made = await materialise(target, { fields: fields(), root, content });
    await rm(join(root, 'agent'), { recursive: true });
    expect(made).toEqual({ source: join(target, 'source'), prompts: join(target, 'prompts'), policy: join(target, 'policy.yaml') });
    expect(await readFile(join(target, 'source/server.js'), 'utf8')).toBe('console.log(1)\n');
    expect((await stat(join(target, 'source/server.js'))).mode & 0o777).toBe(0o555);
    expect((await stat(join(target, 'policy.yaml'))).mode & 0o777).toBe(0o444);
    expect(await readFile(join(target, 'node_modules/answers/index.js'), 'utf8')).toContain('42');
    expect(await readdir(join(target, '..'))).toEqual([target.slice(-12)]);
  });

  it('refuses content that is no longer what was planned, and leaves nothing of it', async () => {
    const content = await readReleaseContent(fields(), root, imageDigest);
    const target = releaseFolder(join(folder, 'home'), { environment: 'default', name: 'agent' }, releaseDigest(content));
    await write('prompts/system.md', 'Changed meanwhile.\n');
    const attempt = materialise(target, { fields: fields(), root, content });
    await expect(attempt).rejects.toMatchObject({ code: 'source_changed_since_plan', message: expect.stringContaining('prompts') });
    expect(await readdir(join(target, '..'))).toEqual([]);
  });

  it('makes a copy anew that someone has changed, and needs the stack no more for one that is whole', async () => {
    const content = await readReleaseContent(fields(), root, imageDigest);
    const target = releaseFolder(join(folder, 'home'), { environment: 'default', name: 'agent' }, releaseDigest(content));
    await materialise(target, { fields: fields(), root, content });
    await writeFile(join(target, 'source/added.js'), '');
    await materialise(target, { fields: fields(), root, content });
    expect((await readdir(join(target, 'source'))).toSorted()).toEqual(['lib', 'server.js']);
    await write('prompts/system.md', 'Changed meanwhile.\n');
    await expect(materialise(target, { fields: fields(), root, content })).resolves.toMatchObject({ source: join(target, 'source') });
  });
});

describe('the releases on record', () => {
  it('are the last ten of a service and those in use, files included', async () => {
    const records = createReleaseRecords(createMemoryStore());
    const made: Release[] = [];
    for (let index = 0; index < 14; index += 1) {
      const digest = `sha256:${String(index).padStart(12, '0')}` as const;
      const directory = join(folder, 'releases', String(index));
      await mkdir(directory, { recursive: true });
      const createdAt = new Date(index * 1000).toISOString();
      const content = { source: digest, command: [], environment: {} };
      made.push({ id: releaseId(digest), digest, service: 'default/service/agent', version: '1.0.0', content, directory, createdAt });
      await records.record('default', 'agent', made.at(-1) as Release);
    }
    await records.prune('default', 'agent', new Set([made[1]?.id ?? '']));
    const left = await records.list('default', 'agent');
    expect(left).toEqual([made[1], ...made.slice(4)]);
    expect((await readdir(join(folder, 'releases'))).length).toBe(11);
    await records.removeAll('default', 'agent');
    expect([await records.list('default', 'agent'), await readdir(folder)]).toEqual([[], ['stack']]);
  });
});
