import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { createReleaseRecords } from '../release/release-records.ts';
import type { Release } from '../release/release.ts';
import { createServiceFixture } from './testdata/service-fixture.ts';

/** Starts a release's command in the release's own copy, and gives what it prints. */
async function output({ content, directory }: Release): Promise<string> {
  const [, ...parameters] = content.command;
  const child = spawn(process.execPath, parameters, { cwd: join(directory, 'source'), stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child, 'close');
  return text;
}

it('the last ten releases can be started when their sources are gone, and the eleventh is gone', async () => {
  const fixture = await createServiceFixture();
  try {
    const made: string[] = [];
    for (let number = 1; number <= 11; number += 1) {
      await writeFile(join(fixture.root, 'agent', 'say.js'), `console.log(${number})\n`);
      const { release } = await fixture.apply(['replicas: 0']);
      made.push(release as string);
    }
    await rm(join(fixture.root, 'agent'), { recursive: true });
    const kept = await createReleaseRecords(fixture.store).list('default', 'agent');
    expect(kept.map(({ id }) => id)).toEqual(made.slice(1));
    expect(await readdir(dirname(kept[0]?.directory ?? ''))).toHaveLength(10);
    const said = await Promise.all(
      kept.map((release) => output({ ...release, content: { ...release.content, command: ['node', 'say.js'] } })),
    );
    expect(said).toEqual(Array.from({ length: 10 }, (_, index) => `${index + 2}\n`));
  } finally {
    await fixture.dispose();
  }
});
