import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Rooms whose tests read the synthesized assemblies. */
const assembled = [
  'test/lib/**',
  'test/state-machines/**',
  'test/cli/**',
  'test/end-to-end/**',
  'test/simulation/**',
].map((room) => `${room}/*.test.ts`);

/**
 * Where tests keep their databases: in memory where there is room. Each has a thousand files, and before ext4 makes one
 * it looks at every inode that was freed in the last minutes: half of all that the tests of PostgreSQL did.
 */
function temporaryDirectory(): string {
  const memory = '/dev/shm';
  try {
    accessSync(memory, constants.W_OK);
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize > 4 * 1024 ** 3 ? memory : tmpdir();
  } catch {
    return tmpdir(); // macOS has none.
  }
}

export default defineConfig({
  test: {
    env: { TMPDIR: temporaryDirectory() },
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 180_000,
    projects: [
      {
        extends: true, // Two at once: none of these measures time, as those do that run the whole on the machine's two cores.
        test: {
          name: 'rooms',
          include: ['test/**/*.test.ts'],
          exclude: assembled,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'assembly',
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          include: assembled,
          // Above what `eventually` waits: that says what never came.
          testTimeout: 240_000,
          // One synth for the whole run, provided to every test of these rooms.
          globalSetup: ['test/support/synthesize.ts'],
        },
      },
    ],
  },
});
