import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { defineConfig } from 'vitest/config';

const testsIn = (...rooms: readonly string[]) => rooms.map((room) => `test/${room}/**/*.test.ts`);
/** Rooms whose tests read the synthesized assemblies. */
const assembled = testsIn('lib', 'state-machines', 'cli');
const endToEnd = testsIn('end-to-end');
/** The virtual world keeps a process to itself. */
const simulation = testsIn('simulation', 'local/virtual');
/** One synth for the whole run. */
const globalSetup = ['test/support/synthesize.ts'];

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
        extends: true,
        test: {
          name: 'rooms',
          include: testsIn('**'),
          exclude: [...assembled, ...endToEnd, ...simulation],
          maxWorkers: 2,
          isolate: false, // A process for each file costs more than most of them.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'assembly',
          include: assembled,
          globalSetup,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'end-to-end',
          include: endToEnd,
          globalSetup,
          maxWorkers: 1, // Their minutes are seconds: on a busy machine alarms ring that nobody expects.
          sequence: { groupOrder: 3 },
          // Above what `eventually` waits: that says what never came.
          testTimeout: 240_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'simulation',
          include: simulation,
          globalSetup,
          maxWorkers: 1, // which starts as many as there are cores
          sequence: { groupOrder: 4 },
          testTimeout: 240_000,
        },
      },
    ],
  },
});
