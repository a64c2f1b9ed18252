import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'examples/**/*.test.ts', 'e2e/**/*.test.ts', 'scripts/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/.sluice/**', 'dist/**'],
    pool: 'forks',
    // Test files share a process, its compiled modules and nothing they change: a seventh less time than a process each.
    isolate: false,
    // Most tests wait for processes they have started, so a core serves more than one of them.
    maxWorkers: availableParallelism() + 2,
    // Hundreds of control planes are started, each with a home of its own: compiled modules are shared between them.
    // One engine wherever tests run, with HAProxy on PATH or not; what is about engines says so itself.
    env: {
      NODE_COMPILE_CACHE: fileURLToPath(new URL('./node_modules/.cache/sluice-test-compile', import.meta.url)),
      SLUICE_GATEWAY_ENGINE: 'embedded',
    },
    setupFiles: ['./src/testing/own-ports.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', './src/testing/closing-line-reporter.ts'],
  },
});
