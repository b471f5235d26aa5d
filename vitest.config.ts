import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Rooms whose tests read the synthesized assemblies. */
const assembled = ['test/lib/**', 'test/state-machines/**', 'test/cli/**', 'test/end-to-end/**'].map(
  (room) => `${room}/*.test.ts`,
);

export default defineConfig({
  test: {
    pool: 'forks',
    // Vitest keeps one core to itself, and the end-to-end tests mostly wait: for servers, for clocks.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'rooms', include: ['test/**/*.test.ts'], exclude: assembled } },
      {
        extends: true,
        test: {
          name: 'assembly',
          include: assembled,
          // One synth for the whole run, provided to every test of these rooms.
          globalSetup: ['test/support/synthesize.ts'],
        },
      },
    ],
  },
});
