import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { Fleet } from './fleet.ts';
import { withVariants } from './make-variants.ts';
import { basesOf, jobs, kinds, type Machine, machines, tasks } from './matrix.ts';
import { callFaults, type Plan, planOf, scenarios } from './plan.ts';
import { protections, silenceIsUnknown, verdictOfBackup, type Weakening, without } from './protections.ts';
import { regionProtections } from './region-protections.ts';
import type { Place } from './variants.ts';

const directory = mkdtempSync(join(tmpdir(), 'simulation-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const assembly = inject('assemblies').production;
const place: Place = { assembly, directory };

/** The default run of `npm run simulate`: a protection must be missed by one of these. */
const defaultSeeds = 1000;
/** How many of the seeds to which a protection matters are tried before it counts as not missed. */
const tries = 15;

/** Everything is asked of it at once, so that no core waits for another. */
const fleet = new Fleet();
afterAll(() => fleet.close());

const run = (plan: Plan, where = place) => fleet.run<'plan'>({ kind: 'plan', plan, shrinks: false, ...where });

/** Strict fencing, synthesized when it is first asked for. */
let withStrict: Place | undefined;
const strictPlace = () => {
  withStrict ??= withVariants(place, ['strict']);
  return withStrict;
};

/** Each is made once. */
const weakened = new Map<string, Promise<Place>>();
function placeWithout(protection: Weakening): Promise<Place> {
  const { variant } = protection;
  const base = variant === undefined ? assembly : (strictPlace().variants?.[variant] ?? '');
  const made =
    weakened.get(protection.name) ??
    without(protection, base, directory).then((changed) =>
      variant === undefined ? { assembly: changed, directory } : { ...place, variants: { [variant]: changed } },
    );
  weakened.set(protection.name, made);
  return made;
}

/** Of every run of the tests; `npm run simulate` has a thousand. Calls that hang, functions that die behind the act are rare. */
const seeds = Array.from({ length: 200 }, (_, index) => index + 1);

/** Of plans about Regions, which take several times as long: denied, a switchover, a drill, a Region that is lost and returns. */
const regionSeeds = [1, 3, 4, 31];
/** One comes home; one is denied the endpoint behind its cut-over, and a person takes it up again. */
const failbackSeeds = [3, 40];
/** Of strict fencing: a failover begins while the Regions are parted, and has to wait. */
const strictSeed = 206;
/** Of strict fencing: a Region dies whole, and returns once production has left it. */
const returningSeed = 79;

it('a seed happens again exactly, whatever ran before, in whichever process', async () => {
  // Two at once are in two processes.
  const both = Promise.all([5, 2].map((seed) => run(planOf(seed))));
  // What will be asked for is synthesized while they learn their code: later, nobody would give them work meanwhile.
  setImmediate(strictPlace);
  const [first] = await both;
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

  it('keep every invariant where a Region is left, lost, or come home to', async () => {
    const plans = [
      ...regionSeeds.map((seed) => planOf(seed, 'region')),
      ...failbackSeeds.map((seed) => planOf(seed, 'failback')),
    ];
    const reports = await Promise.all(plans.map((plan) => run(plan)));
    const violated = reports.filter(({ violations }) => violations.length > 0);
    expect(violated.map(({ seed, violations }) => ({ seed, violations }))).toEqual([]);
    // Where nothing ends well, nothing is shown of what comes after a cut-over.
    const healthy = new Set(reports.flatMap(({ recoveries }) => recoveries.map(({ scenario }) => scenario)));
    expect([...healthy]).toEqual(
      expect.arrayContaining(['region-failover', 'region-failover, a drill', 'region-failback']),
    );
  });

  it('never make two databases that take writes where fencing is strict and the Regions are parted', async () => {
    const { violations, story, recoveries } = await run(planOf(strictSeed, 'region'), strictPlace());
    expect(violations, story).toEqual([]);
    expect(story).toContain('TenureNotOver');
    expect(recoveries.map(({ scenario }) => scenario)).toContain('region-failover');
  });

  it('never make two that take writes where fencing is strict and a Region that died whole returns', async () => {
    const { violations, story, recoveries } = await run(planOf(returningSeed, 'region'), strictPlace());
    expect(violations, story).toEqual([]);
    expect(story).toMatch(/at epoch 2\b.* returns$/ms);
    expect(recoveries.map(({ scenario }) => scenario)).toContain('region-failover');
  });

  it('are of a scenario where one is asked for', () => {
    for (const scenario of scenarios) {
      const { beginning, disaster, region, acts } = planOf(7, scenario);
      if (scenario === 'region') expect(region).toBeDefined();
      else if (scenario === 'failback') expect(acts.map(({ kind }) => kind)).toContain(scenario);
      else expect([beginning.kind, disaster?.name]).toContain(scenario);
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
  expect(recoveries[0]?.overhead).toBeLessThan(1.15);
});

it.concurrent.each([
  { what: 'a restore', operation: 'RestoreDBInstanceToPointInTime', plan: quiet },
  {
    what: 'a replica on the way home',
    operation: 'CreateDBInstanceReadReplica',
    plan: basesOf('region-failback')[0] ?? quiet,
  },
])('$what that RDS has no capacity for at first is made once it has', async ({ operation, plan }) => {
  const { violations, story, struck, ends } = await run({
    ...plan,
    faults: [{ kind: 'no-capacity', operation, times: 10 }],
  });
  expect(violations, story).toEqual([]);
  expect(struck.filter((what) => what === 'no-capacity')).toHaveLength(10);
  expect(new Set(ends), story).toEqual(new Set(['Succeeded']));
});

it.concurrent('a cut-over that is still on its way when its execution is stopped comes too late', async () => {
  const late = {
    kind: 'stop-during',
    function: 'database/cut-over',
    service: 'dynamodb',
    operation: 'PutItem',
  } as const;
  const faults = [{ ...late, about: 'active-database', holdMs: 7000 }];
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
  it.each([...protections, ...regionProtections])('without the $name, an invariant is violated', async (protection) => {
    const where = await placeWithout(protection);
    const all = Array.from({ length: defaultSeeds }, (_, index) => index + 1);
    const candidates = [protection.seed, ...all]
      .map((seed) => planOf(seed, protection.scenario))
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
  'configuration-recovery': ['MakeWorkload', 'FindDrift', 'Apply', 'FindRemaining', 'TearDown'],
};

it.concurrent('a drill of the Region whose end fails is ended by the clean-up', async () => {
  const cell = { machine: 'region-failover', task: 'EndDrill', kind: 'terminal' } as const;
  const base = basesOf('region-failover').find(({ beginning }) => 'mode' in beginning && beginning.mode === 'drill');
  const { violations, struck, end, story } = await fleet.run<'cell'>({
    kind: 'cell',
    cell,
    base: base ?? quiet,
    ...place,
  });
  expect(violations, story).toEqual([]);
  expect({ struck, end }, story).toEqual({ struck: true, end: 'SimulatedTerminalError' });
});

/** Their runs take several times as long: here one Task of each. */
const ofRegions = ['region-failover', 'region-failback'] as const;
const isOfRegions = (machine: Machine) => ofRegions.some((each) => each === machine);

describe.concurrent.each(ofRegions)('a Task of %s meets a fault', (machine) => {
  it('and a function that dies behind its act does no harm', async () => {
    const cell = { machine, task: 'CutOver', kind: 'crash after' } as const;
    const [base = quiet] = basesOf(machine);
    const { violations, struck, end, story } = await fleet.run<'cell'>({ kind: 'cell', cell, base, ...place });
    expect(violations, story).toEqual([]);
    expect({ struck, end }, story).toEqual({ struck: true, end: 'Succeeded' });
  });
});

describe.concurrent.each(machines.filter((machine) => !isOfRegions(machine)))(
  'every Task of %s meets a fault',
  (machine) => {
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
  },
);
