import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const testsIn = (...rooms: readonly string[]) => rooms.map((room) => `test/${room}/**/*.test.ts`);
/** Rooms whose tests read the synthesized assemblies. */
const assembled = testsIn('lib', 'state-machines', 'cli');
const endToEnd = testsIn('end-to-end');
/** The virtual world keeps a process to itself. */
const simulation = testsIn('simulation', 'local/virtual');
/** One more than cores: an end-to-end file waits for schedules, alarms and databases half of the time. */
const maxWorkers = 3;
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

/** Files of minutes first: begun last, one runs alone while the other core has nothing to do. A clean checkout knows no durations. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) =>
      /end-to-end\/(staging|region|production)\.test\.ts$/.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    env: { TMPDIR: temporaryDirectory() },
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } }, // Its own second is too little for a busy machine.
    projects: [
      {
        extends: true,
        test: {
          name: 'rooms',
          include: testsIn('**'),
          exclude: [...assembled, ...endToEnd, ...simulation],
          maxWorkers,
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
          maxWorkers,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'end-to-end',
          include: endToEnd,
          globalSetup,
          maxWorkers,
          sequence: { groupOrder: 1 },
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
          sequence: { groupOrder: 2 },
          testTimeout: 240_000,
        },
      },
    ],
  },
});
