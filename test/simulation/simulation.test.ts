import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, it, test } from 'vitest';
import { configurationOf } from '../../config/index.ts';
import type { Stage } from './actors.ts';
import { jobs, kinds, machines, meet, reach, tasks } from './matrix.ts';
import { type Plan, planOf } from './plan.ts';
import { type Protection, protections, without } from './protections.ts';
import { simulate } from './run.ts';
import { shrink } from './shrink.ts';

const directory = mkdtempSync(join(tmpdir(), 'simulation-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const assembly = inject('assemblies').production;
const options = { configuration: configurationOf('production'), assembly, directory };

/** The default run of `npm run simulate`: a protection must be missed by one of these. */
const defaultSeeds = 1000;
/** How many of the seeds to which a protection matters are tried before it counts as not missed. */
const tries = 15;

describe('disasters drawn from seeds', () => {
  it.each(Array.from({ length: 12 }, (_, index) => index + 1))('keep every invariant: seed %i', async (seed) => {
    const { violations, story } = await simulate(planOf(seed), options);
    expect(violations, String(story)).toEqual([]);
  });

  it('happen again exactly, whatever ran before', async () => {
    const tell = async (seed: number) => String((await simulate(planOf(seed), options)).story);
    const first = await tell(5);
    await tell(2);
    expect(await tell(5)).toBe(first);
  });
});

const quiet: Plan = {
  seed: 1,
  beginning: { kind: 'recovery', restoreTo: 'latest' },
  acts: [{ kind: 'answer', answer: 'approve', afterMs: 20_000, twice: false, latest: false }],
  faults: [],
  skewMs: 0,
};

it('recovers production on the virtual clock, and little of the time is the orchestration’s own', async () => {
  const { executions, recoveries, violations } = await simulate(quiet, options);
  expect(violations).toEqual([]);
  // The recovery, and the drill that validates a clone of it.
  expect(executions.map(({ status }) => status)).toEqual(['Succeeded', 'Succeeded']);
  expect(recoveries[0]?.overhead).toBeLessThan(1.5);
});

it('a cut-over that is still on its way when its execution is stopped comes too late', async () => {
  const late = {
    kind: 'stop-during',
    function: 'database/cut-over',
    service: 'dynamodb',
    operation: 'PutItem',
  } as const;
  const { executions, violations, story } = await simulate(
    { ...quiet, faults: [{ ...late, about: 'control', holdMs: 7000 }] },
    options,
  );
  expect(executions.map(({ status }) => status)).toEqual(['Aborted']);
  expect(violations, String(story)).toEqual([]);
});

describe('the checker bites', () => {
  test.each(protections)('without the $name, an invariant is violated', async (protection) => {
    const weakened = await without(protection, assembly, directory);
    const seeds = Array.from({ length: defaultSeeds }, (_, index) => index + 1);
    const candidates = [protection.seed, ...seeds].map((seed) => planOf(seed)).filter(protection.matters).slice(0, tries);
    for (const plan of candidates) {
      const { violations } = await simulate(plan, { ...options, assembly: weakened });
      if (violations.some(({ invariant }) => protection.guards.includes(invariant))) return;
    }
    expect.unreachable(`${candidates.length} runs without the ${protection.name} violate nothing`);
  });

  it('misses the verdict of a backup: one without its copy says that it succeeded', async () => {
    const verdict: Protection = {
      name: 'verdict of a backup',
      seed: 1,
      edits: [
        {
          file: 'core/backup/report-backup.ts',
          text: "const verdict = failed.length === 0 && outcomes.length > 0 ? 'succeeded' : 'failed';",
          instead: "const verdict = 'succeeded' as BackupRecord['verdict'];",
        },
      ],
      guards: [8],
      matters: () => true,
    };
    const plan: Plan = { ...quiet, beginning: { kind: 'backup', task: 'backup' } };
    const onReady = ({ site }: Stage) =>
      void site.cloud.faults.inject({ service: 'rds', operation: 'CopyDBSnapshot', effect: { kind: 'deny' } });
    const sound = await simulate(plan, { ...options, onReady });
    expect(sound).toMatchObject({ violations: [], ends: ['Failed'] });
    const weakened = await without(verdict, assembly, directory);
    const { violations } = await simulate(plan, { ...options, onReady, assembly: weakened });
    expect(violations.map(({ invariant }) => invariant)).toEqual([8]);
  });

  it('tells the shortest story that still does', async () => {
    const protection = protections.find(({ name }) => name === 'compensation') ?? expect.unreachable();
    const weakened = { ...options, assembly: await without(protection, assembly, directory) };
    const long: Plan = {
      ...quiet,
      acts: [...quiet.acts, { kind: 'start-again', afterMs: 60_000 }],
      faults: [
        { kind: 'restore', ends: 'incompatible-restore' },
        { kind: 'event', source: 'instance', arrivalsMs: [0, 0] },
      ],
      skewMs: 500,
    };
    const { plan } = await shrink(await simulate(long, weakened), (each) => simulate(each, weakened));
    expect(plan).toEqual({ ...quiet, faults: [{ kind: 'restore', ends: 'incompatible-restore' }] });
  });
});

describe.each(machines)('every Task of %s meets a fault', (machine) => {
  it('and each is reached by one of the plans', async () => {
    const reached = await reach(machine, options);
    expect(tasks(machine).filter((task) => !reached.has(task))).toEqual([]);
    expect(jobs(machine)).toEqual(machine === 'database-recovery' ? ['LoadDump', 'RepairTables'] : []);
    // One kind of fault for each Task here, in turn; docs/fault-matrix.md has them all.
    for (const [index, task] of tasks(machine).entries()) {
      const [kind = 'retryable', base = quiet] = [kinds[index % kinds.length], reached.get(task)];
      const { violations, story, end } = await meet({ machine, task, kind }, base, options);
      expect(violations, `${task} met by ${kind}\n${story}`).toEqual([]);
      expect(end).not.toBe('RUNNING');
    }
  });
});
