import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));
const project = (name: string, more: object = {}) => ({
  plugins: [react()],
  test: { name, root, include: [`test/${name}/**/*.test.{ts,tsx}`], testTimeout: 20_000, hookTimeout: 30_000, ...more },
});

// Order of cost: unit tests take no time, a machine takes seconds, and two machines at once take a core each.
export default defineConfig({
  test: {
    reporters: [fileURLToPath(new URL('reporter.ts', import.meta.url))],
    projects: [
      project('unit', { sequence: { groupOrder: 0 } }),
      project('integration', { sequence: { groupOrder: 1 } }),
      project('ui', { sequence: { groupOrder: 2 }, fileParallelism: false, testTimeout: 60_000, hookTimeout: 60_000 }),
      project('e2e', { sequence: { groupOrder: 3 }, fileParallelism: false, testTimeout: 60_000, hookTimeout: 60_000 }),
      project('vm', {
        sequence: { groupOrder: 4 },
        fileParallelism: false,
        testTimeout: 180_000,
        hookTimeout: 600_000,
      }),
    ],
  },
});
