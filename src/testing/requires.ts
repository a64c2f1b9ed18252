import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';

/**
 * A `describe` for tests that need a program npm does not bring. Where it is missing they are skipped and the reason is printed; with
 * SLUICE_TEST_REQUIRE=all (as in CI) a missing program fails instead.
 */
export function describeWith(program: string, name: string, body: (path: string) => void): void {
  const path = findProgram(program);
  if (path !== undefined) {
    describe(name, () => {
      body(path);
    });
    return;
  }
  if (process.env['SLUICE_TEST_REQUIRE'] === 'all') throw new Error(`'${program}' is not on PATH and SLUICE_TEST_REQUIRE=all: ${name}`);
  console.warn(`skipped: ${name} ('${program}' is not on PATH)`);
  describe.skipIf(true)(`${name} (needs ${program})`, () => {
    body('');
  });
}

/** Absolute path of an executable on PATH. */
export function findProgram(name: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
}
