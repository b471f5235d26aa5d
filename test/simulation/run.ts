/** One run: a plan is performed on a site of its own, until everything is over, and judged from the outside. */
import type { Configuration } from '../../config/schema.ts';
import { isFailedRecovery, perform } from './actors.ts';
import { withChance } from './chance.ts';
import { inject } from './faults.ts';
import { incidentRecords, isUntidy, judge, remember } from './invariants.ts';
import { Load } from './load.ts';
import type { Plan } from './plan.ts';
import { Draw } from './random.ts';
import { comeBack } from './region-actors.ts';
import { finishAfterMs, unfinishedMove } from './region-behind.ts';
import { isDrillShifted, judgeRegions } from './region-invariants.ts';
import { RegionWitness } from './region-witness.ts';
import { type ServiceTime, Site } from './site.ts';
import type { Stage } from './stage.ts';
import { Finder, keepReadiness } from './standby.ts';
import { machineOf } from './start.ts';
import { Story } from './story.ts';
import { type Seen, type Violation, Witness } from './witness.ts';

export interface RunOptions {
  readonly configuration: Configuration;
  /** A synthesized assembly. */
  readonly assembly: string;
  /** Where clouds keep their files. */
  readonly directory: string;
  /** Called when everything is in place and nothing has happened yet. */
  readonly onReady?: (stage: Stage) => Promise<void>;
}

export interface Result {
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  readonly story: Story;
  /** How every execution ended, in the order of their starts. */
  readonly ends: readonly string[];
  readonly executions: readonly Seen[];
  /** What the plan's faults struck, by their kinds. */
  readonly struck: readonly string[];
  /** Of each recovery and drill that succeeded: its time, and what of it no service is to blame for. */
  readonly recoveries: readonly Recovery[];
}

export interface Recovery {
  /** What it was about: the disaster, where there was one. */
  readonly scenario: string;
  readonly totalSeconds: number;
  /** Total time over the time in which a service worked or a person thought. */
  readonly overhead: number;
}

const [second, minute] = [1000, 60_000];
/** The machine's own limit is 12 hours. */
const longest = 16 * 60 * minute;

/** Never rejects but where the simulation itself is at fault. */
export function simulate(plan: Plan, options: RunOptions): Promise<Result> {
  return withChance(new Draw(plan.seed, 'process').next, () => run(plan, options));
}

async function run(plan: Plan, options: RunOptions): Promise<Result> {
  let witness: Witness | undefined;
  const site = await Site.open({
    ...options,
    seed: plan.seed,
    skewMs: plan.skewMs,
    standby: plan.region !== undefined,
    // Where nothing happens to production, there is nothing to be seen.
    looksOnce: plan.region === undefined && plan.disaster === undefined,
    onDatabaseChange: () => witness?.lookAtDatabases(),
  });
  try {
    const port = Number(new URL(site.apiUrl).port);
    const finder = new Finder(site, site.configuration.traffic.recordName);
    const load = new Load(site, plan.region === undefined ? () => port : finder.port);
    if (plan.region) await site.run(keepReadiness(site, saidOf(plan)));
    await site.run(untilRestorable(plan, site));
    const story = new Story(site.world.clock.now);
    witness = new Witness(site, story);
    const regions = plan.region && new RegionWitness(site, story, witness);
    const before = await site.run(remember(site));
    const [replica] = plan.region ? await site.run(site.instances(site.configuration.dr.region)) : [];
    let isMute = false;
    const struck: string[] = [];
    inject(plan.faults, site.cloud, site.world.clock, (what) => {
      story.tell(`fault: ${what}`);
      struck.push(what.split(' ')[0] ?? '');
      isMute ||= what.includes('sns:');
    });
    const stage = { site, story, witness, regions };
    if (options.onReady) await site.run(options.onReady(stage));
    const begun = perform(plan, stage);
    await site.run(
      begun.then(() => untilOver(plan, stage)),
      longest,
    );
    site.cloud.faults.clear();
    // What a fault kept from being cleaned up, the sweeps must find.
    const isLeft = async (seen: Witness) =>
      (await isUntidy(site, seen, plan.disaster?.name)) || (regions !== undefined && isDrillShifted(site));
    for (let waited = 0; waited < 60 && (await site.run(isLeft(witness))); waited += 3)
      await site.world.clock.pass(3 * minute);
    load.stop();
    regions?.stop();
    const isAboutRegions = regions !== undefined;
    const after = { before, ledger: load.ledger, disaster: plan.disaster?.name, isMute, isAboutRegions };
    await site.run(judge(site, witness, after));
    if (regions)
      await site.run(
        incidentRecords(site).then((incidents) =>
          judgeRegions(site, witness as Witness, regions, { replica, ledger: load.ledger, incidents }),
        ),
      );
    const ends = [...witness.executions.values()].map(({ status }) => status);
    const executions = [...witness.executions.values()];
    const { violations } = witness;
    return { plan, violations, story, ends, executions, struck, recoveries: recoveriesOf(plan, site, witness) };
  } finally {
    await site.close();
  }
}

/**
 * What a plan restores to holds what was prepared: some minutes ago, or the latest time that the backups reach. Where the DR
 * Region stands by, it has watched the primary for a while.
 */
async function untilRestorable({ beginning, region }: Plan, site: Site): Promise<void> {
  const { clock } = site.world;
  const isAgo = 'restoreTo' in beginning && beginning.restoreTo === 'minutes-ago';
  if (region !== undefined) return clock.sleep(6 * minute);
  if (isAgo) return clock.sleep(site.preparedAt + 6 * minute - clock.now());
  const { identifier } = site.configuration.database;
  const restorable = async () => (await site.instance(identifier))?.LatestRestorableTime?.getTime() ?? 0;
  while ((await restorable()) < site.preparedAt) await clock.sleep(30 * second);
}

/** What machines do first, once nobody is asked any more. */
const firsts = new Set(['ProductionFirst', 'PrimaryFirst', 'KeepFormer']);

/** From the start, or from the approval where a person was asked, until the application had validated healthy. */
function recoveriesOf({ disaster }: Plan, site: Site, witness: Witness): Recovery[] {
  return [...witness.executions.values()].flatMap(({ arn, states, input: { mode = 'drill' } }): Recovery[] => {
    const begun = states.findLast(({ name }) => firsts.has(name))?.at;
    const healthy = states.find(({ name }) => name === 'ValidateApplication ended')?.at;
    if (begun === undefined || healthy === undefined) return [];
    const worked = unionMs([...site.serviceTimes, ...untilUploaded(states, site)], begun, healthy);
    const totalMs = healthy - begun;
    const machine = machineOf(arn, site);
    const own = mode === 'drill' ? mode : (disaster?.name ?? mode);
    const scenario = machine === 'database-recovery' ? own : `${machine}${mode === 'drill' ? ', a drill' : ''}`;
    return worked === 0 ? [] : [{ scenario, totalSeconds: totalMs / 1000, overhead: totalMs / worked }];
  });
}

type Interval = Pick<ServiceTime, 'from' | 'until'>;

/** What is restored to the latest time is restorable when RDS has uploaded the log up to it. */
function untilUploaded(states: Seen['states'], { logUploads }: Site): Interval[] {
  const from = states.findLast(({ name }) => name === 'RestoreDatabase')?.at;
  const ended = states.findLast(({ name }) => name === 'RestoreDatabase ended')?.at;
  const uploaded = from === undefined ? undefined : logUploads.find((at) => at >= from);
  if (from === undefined || ended === undefined || uploaded === undefined) return [];
  return [{ from, until: Math.min(ended, uploaded) }];
}

/** Milliseconds within [from, until] in which at least one service worked. */
function unionMs(times: readonly Interval[], from: number, until: number): number {
  const parts = times
    .map((time) => [Math.max(time.from, from), Math.min(time.until, until)] as const)
    .filter(([begin, end]) => end > begin)
    .sort(([a], [b]) => a - b);
  let [sum, reached] = [0, from];
  for (const [begin, end] of parts) {
    sum += Math.max(0, end - Math.max(begin, reached));
    reached = Math.max(reached, end);
  }
  return sum;
}

/** What readiness is to have said before. */
function saidOf({ region = [] }: Plan): Parameters<typeof keepReadiness>[1] {
  return region.find((each) => each.kind === 'readiness')?.says ?? 'ready';
}

/** What is still away returns when the rest is over, and is to be met by the product as it is; what failed may then begin. */
async function untilOver(plan: Plan, stage: Stage): Promise<void> {
  const { site } = stage;
  const { clock } = site.world;
  const until = clock.now() + lastBeginning(plan);
  await untilSeen(plan, stage);
  await untilQuiet(plan, Math.max(0, until - clock.now()), stage);
  if (!site.cloud.isDark(site.configuration.primary.region) && !site.conditions.isParted) return;
  await comeBack(stage);
  await untilQuiet(plan, 4 * minute, stage);
}

/** Triage has answered a disaster, or an alarm's three periods have passed without. */
async function untilSeen({ disaster }: Plan, { site, witness }: Stage): Promise<void> {
  const { clock } = site.world;
  if (disaster === undefined) return;
  const strikes = clock.now() + disaster.atMs;
  const answers = ({ arn, startedAt }: Seen) => arn.includes(':triage-') && startedAt >= strikes;
  while (clock.now() < strikes + 12 * minute && ![...witness.executions.values()].some(answers))
    await clock.sleep(30 * second);
}

/** Nothing runs for a while, after everything that the plan may still bring. */
async function untilQuiet(plan: Plan, afterMs: number, stage: Stage): Promise<void> {
  const { site, witness } = stage;
  const { clock } = site.world;
  const retryAfterMs = plan.acts.find(({ kind }) => kind === 'retry')?.afterMs ?? 0;
  const homeAfterMs = plan.acts.find((act) => act.kind === 'failback')?.afterMs ?? 0;
  const begun = clock.now();
  await clock.sleep(afterMs + minute);
  for (;;) {
    const executions = [...witness.executions.values()];
    const quietSince = Math.max(begun, ...executions.map(({ endedAt }) => endedAt ?? clock.now()));
    const retries = executions.some(isFailedRecovery) ? retryAfterMs : 0;
    const finish = unfinishedMove(stage) === undefined ? 0 : finishAfterMs;
    if (clock.now() - quietSince > Math.max(retries, homeAfterMs, finish) + 2 * minute) return;
    await clock.sleep(30 * second);
  }
}

/** What people do when something asks for it: of what runs, if it still does. */
const waiting = new Set(['answer', 'retry', 'failback', 'cancel', 'stop-follow-up']);

/** When the last thing of a plan begins that waits for nothing. */
function lastBeginning({ acts, region = [] }: Plan): number {
  const begun = acts.map((act) => (waiting.has(act.kind) ? 0 : act.afterMs));
  const seen = region.map((each) =>
    each.kind === 'dark'
      ? each.atMs + 12 * minute
      : each.kind === 'cut' || each.kind === 'parted'
        ? each.fromMs + 12 * minute
        : each.kind === 'guard'
          ? each.fromMs + each.forMs
          : 0,
  );
  return Math.max(...begun, ...seen);
}
