import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { Fleet } from './fleet.ts';
import { jobs, kinds, type Machine, machines, tasks } from './matrix.ts';
import { callFaults, type Plan, planOf, scenarios } from './plan.ts';
import { protections, silenceIsUnknown, verdictOfBackup, type Weakening, without } from './protections.ts';

const directory = mkdtempSync(join(tmpdir(), 'simulation-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const assembly = inject('assemblies').production;
const place = { assembly, directory };

/** The default run of `npm run simulate`: a protection must be missed by one of these. */
const defaultSeeds = 1000;
/** How many of the seeds to which a protection matters are tried before it counts as not missed. */
const tries = 15;

/** Everything is asked of it at once, so that no core waits for another. */
const fleet = new Fleet();
afterAll(() => fleet.close());

const run = (plan: Plan, where = place) => fleet.run<'plan'>({ kind: 'plan', plan, shrinks: false, ...where });

/** Each is made once. */
const weakened = new Map<string, Promise<typeof place>>();
function placeWithout(protection: Weakening): Promise<typeof place> {
  const made =
    weakened.get(protection.name) ??
    without(protection, assembly, directory).then((changed) => ({ assembly: changed, directory }));
  weakened.set(protection.name, made);
  return made;
}

/** Of the next thirty, those whose calls hang, or whose functions die behind the act: both are rare. */
const rare = [32, 35, 40, 54, 60];
/** The seeds of every run of the tests; `npm run simulate` has a thousand. */
const seeds = [...Array.from({ length: 30 }, (_, index) => index + 1), ...rare];

it('a seed happens again exactly, whatever ran before, in whichever process', async () => {
  // Two at once are in two processes.
  const [first] = await Promise.all([5, 2].map((seed) => run(planOf(seed))));
  const again = await Promise.all([5, 5].map((seed) => run(planOf(seed))));
  expect(again.map(({ story }) => story)).toEqual([first?.story, first?.story]);
});

describe.concurrent('disasters drawn from seeds', () => {
  it('keep every invariant, whatever fault strikes', async () => {
    const reports = await Promise.all(seeds.map((seed) => run(planOf(seed))));
    const violated = reports.filter(({ violations }) => violations.length > 0);
    expect(violated.map(({ seed, violations }) => ({ seed, violations }))).toEqual([]);
    // A fault that strikes nothing finds nothing: every kind that plans draw strikes somewhere.
    const struck = new Set(reports.flatMap((report) => report.struck));
    expect([...callFaults.filter((kind) => !struck.has(kind))]).toEqual([]);
  });

  it('are of a scenario where one is asked for', () => {
    for (const scenario of scenarios) {
      const { beginning, disaster } = planOf(7, scenario);
      expect([beginning.kind, disaster?.name]).toContain(scenario);
    }
  });
});

const quiet: Plan = {
  seed: 1,
  beginning: { kind: 'recovery', restoreTo: 'latest' },
  acts: [{ kind: 'answer', answer: 'approve', afterMs: 20_000, twice: false, latest: false }],
  faults: [],
  skewMs: 0,
};

it.concurrent('recovers production on the virtual clock, and little of the time is the orchestration’s own', async () => {
  const { ends, recoveries, violations } = await run(quiet);
  expect(violations).toEqual([]);
  // The recovery, and the drill that validates a clone of it.
  expect(ends).toEqual(['Succeeded', 'Succeeded']);
  expect(recoveries[0]?.overhead).toBeLessThan(1.5);
});

it.concurrent('a cut-over that is still on its way when its execution is stopped comes too late', async () => {
  const late = {
    kind: 'stop-during',
    function: 'database/cut-over',
    service: 'dynamodb',
    operation: 'PutItem',
  } as const;
  const faults = [{ ...late, about: 'control', holdMs: 7000 }];
  const { ends, violations, story } = await run({ ...quiet, faults });
  expect(ends).toEqual(['Aborted']);
  expect(violations, story).toEqual([]);
});

it.concurrent('a copy that is restored to a moment when the application could log in is fenced before the application reaches it', async () => {
  const reopened: Plan = { ...quiet, seed: 91, faults: [{ kind: 'reopened', afterMs: 0 }] };
  const { violations, story } = await run(reopened);
  expect(story).toContain('log in to production again');
  expect(violations, story).toEqual([]);
});

describe.concurrent('the checker bites', () => {
  it.each(protections)('without the $name, an invariant is violated', async (protection) => {
    const where = await placeWithout(protection);
    const all = Array.from({ length: defaultSeeds }, (_, index) => index + 1);
    const candidates = [protection.seed, ...all]
      .map((seed) => planOf(seed))
      .filter(protection.matters)
      .slice(0, tries);
    for (const plan of candidates) {
      const { violations } = await run(plan, where);
      if (violations.some(({ invariant }) => protection.guards.includes(invariant))) return;
    }
    expect.unreachable(`${candidates.length} runs without the ${protection.name} violate nothing`);
  });

  it('misses the verdict of a backup: one without its copy says that it succeeded', async () => {
    const { plan, guards } = verdictOfBackup;
    expect(await run(plan)).toMatchObject({ violations: [], ends: ['Failed'] });
    const { violations } = await run(plan, await placeWithout(verdictOfBackup));
    expect(violations.map(({ invariant }) => invariant)).toEqual(guards);
  });

  it('misses that silence is unknown: a check whose look failed says that all is well', async () => {
    const cell = { machine: 'readiness', task: 'LookAtSecrets', kind: 'terminal' } as const;
    const { plan: base } = silenceIsUnknown;
    const sound = await fleet.run<'cell'>({ kind: 'cell', cell, base, ...place });
    expect(sound).toMatchObject({ violations: [], struck: true, end: 'Succeeded' });
    const where = await placeWithout(silenceIsUnknown);
    const { violations } = await fleet.run<'cell'>({ kind: 'cell', cell, base, ...where });
    expect(violations.map(({ invariant }) => invariant)).toEqual(silenceIsUnknown.guards);
  });

  it('tells the shortest story that still does', async () => {
    const protection = protections.find(({ name }) => name === 'compensation') ?? expect.unreachable();
    const where = await placeWithout(protection);
    const long: Plan = {
      ...quiet,
      acts: [...quiet.acts, { kind: 'start-again', afterMs: 60_000 }],
      faults: [
        { kind: 'restore', ends: 'incompatible-restore' },
        { kind: 'event', source: 'instance', arrivalsMs: [0, 0] },
      ],
      skewMs: 500,
    };
    const { shortest } = await fleet.run<'plan'>({ kind: 'plan', plan: long, shrinks: true, ...where });
    expect(JSON.parse(shortest?.plan ?? '')).toEqual({
      ...quiet,
      faults: [{ kind: 'restore', ends: 'incompatible-restore' }],
    });
  });
});

/** Tasks that are jobs in CodeBuild. */
const builds: Readonly<Partial<Record<Machine, readonly string[]>>> = {
  'database-recovery': ['LoadDump', 'RepairTables'],
  'cluster-recovery': ['PlanRebuild', 'Rebuild', 'TearDown'],
};

describe.concurrent.each(machines)('every Task of %s meets a fault', (machine) => {
  it('and each is reached by one of the plans', async () => {
    const reached = new Map(await fleet.run<'reach'>({ kind: 'reach', machine, ...place }));
    expect(tasks(machine).filter((task) => !reached.has(task))).toEqual([]);
    expect(jobs(machine)).toEqual(builds[machine] ?? []);
    // One kind of fault for each Task here, in turn; docs/fault-matrix.md has them all.
    const outcomes = await Promise.all(
      tasks(machine).map((task, index) => {
        const cell = { machine, task, kind: kinds[index % kinds.length] ?? 'retryable' };
        return fleet.run<'cell'>({ kind: 'cell', cell, base: reached.get(task) ?? quiet, ...place });
      }),
    );
    for (const { task, kind, violations, story, end, struck } of outcomes) {
      expect(violations, `${task} met by ${kind}\n${story}`).toEqual([]);
      // Whoever enters a Task invokes its function; a function need not change anything.
      expect(
        struck || kind === 'crash before' || kind === 'crash after' || kind === 'denied',
        `${task} met by ${kind}`,
      ).toBe(true);
      expect(end).not.toBe('RUNNING');
    }
  });
});
