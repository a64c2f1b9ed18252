import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cgroupSupport } from '../providers/local/machine/cgroup-support.ts';
import { type DockerEngine, startDockerEngine } from './docker-engine.ts';
import { findProgram } from './requires.ts';

/** What tests of an engine are written with. */
export interface WithDocker {
  /** In hooks and tests. */
  readonly engine: () => DockerEngine;
  /** As `beforeAll` and `afterAll`; nothing where there is no engine. */
  readonly before: (prepare: () => Promise<void>) => void;
  readonly after: (clean: () => Promise<void>) => void;
}

/**
 * A `describe` for tests that need a Docker engine, which they get for themselves, and only when one of them is played. With
 * SLUICE_TEST_REQUIRE=all a missing program fails, as does an engine that does not start. Where the system lets nobody run containers (no
 * root, no right to make namespaces or control groups), they are skipped all the same, and the reason is printed.
 */
export function describeWithDocker(name: string, body: (docker: WithDocker) => void): void {
  const must = process.env['SLUICE_TEST_REQUIRE'] === 'all';
  const missing = ['dockerd', 'containerd', 'docker', 'docker-init', 'busybox'].find((program) => findProgram(program) === undefined);
  const why = refusal() ?? (missing && `'${missing}' is not on PATH`);
  if (why !== undefined) {
    if (must && refusal() === undefined) throw new Error(`${why} and SLUICE_TEST_REQUIRE=all: ${name}`);
    tell(name, why);
    describe.skipIf(true)(`${name} (needs a Docker engine)`, () => it('is tested here', () => expect(why).toBeUndefined()));
    return;
  }
  describe(name, () => {
    let started: DockerEngine | undefined;
    let reason: string | undefined;
    // Not by hooks of their own: a failed one would leave the engine behind.
    const cleaning: (() => Promise<void>)[] = [];
    const engine = (): DockerEngine => {
      if (started === undefined) throw new Error(reason ?? 'the Docker engine has not been started yet');
      return started;
    };

    beforeAll(async () => {
      try {
        started = await startDockerEngine();
      } catch (error) {
        const { message } = error as Error;
        if (must && !isRefusal(message)) throw error;
        const lines = message.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('Command failed'));
        reason = `a Docker engine cannot be used here: ${lines.slice(0, 2).join(' ').slice(0, 300)}`;
        tell(name, reason);
      }
    });
    beforeEach(({ skip }) => skip(started === undefined, reason));
    afterAll(async () => {
      try {
        if (started !== undefined) for (const clean of cleaning.toReversed()) await clean();
      } finally {
        await started?.remove();
      }
    });
    body({
      engine,
      before: (prepare) => beforeAll(async () => (started === undefined ? undefined : prepare())),
      after: (clean) => void cleaning.push(clean),
    });
  });
}

const mayMakeNamespaces = 1n << 21n; // CAP_SYS_ADMIN, linux/capability.h

/** Why no engine can be expected to run containers on this system, whatever is installed. */
function refusal(): string | undefined {
  if (process.platform !== 'linux') return 'containers need Linux';
  if (process.getuid?.() !== 0) return 'a Docker engine of its own takes root';
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  if ((BigInt(`0x${capabilities}`) & mayMakeNamespaces) === 0n) return 'this system does not let root make namespaces';
  const groups = cgroupSupport();
  return groups.version === 'none' ? groups.reason : undefined;
}

/** What a kernel says that keeps an engine from running containers: of the system, and not of the tests. */
function isRefusal(reason: string): boolean {
  return /operation not permitted|permission denied|read-only file system|function not implemented|operation not supported|no such device/i.test(
    reason,
  );
}

function tell(name: string, reason: string): void {
  console.warn(`skipped: ${name} (${reason})`);
}
