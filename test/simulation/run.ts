/** One run: a plan is performed on a site of its own, until everything is over, and judged from the outside. */
import type { Configuration } from '../../config/schema.ts';
import { isFailedRecovery, perform, type Stage } from './actors.ts';
import { withChance } from './chance.ts';
import { inject } from './faults.ts';
import { isUntidy, judge, remember } from './invariants.ts';
import { Load } from './load.ts';
import type { Plan } from './plan.ts';
import { Draw } from './random.ts';
import { type ServiceTime, Site } from './site.ts';
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
    onDatabaseChange: () => witness?.lookAtDatabases(),
  });
  try {
    const load = new Load(site, site.apiUrl);
    await site.world.clock.pass(6 * minute);
    const story = new Story(site.world.clock.now);
    witness = new Witness(site, story);
    const before = await site.run(remember(site));
    let isMute = false;
    const struck: string[] = [];
    inject(plan.faults, site.cloud, site.world.clock, (what) => {
      story.tell(`fault: ${what}`);
      struck.push(what.split(' ')[0] ?? '');
      isMute ||= what.includes('sns:');
    });
    const stage = { site, story, witness };
    if (options.onReady) await site.run(options.onReady(stage));
    const begun = perform(plan, stage);
    await site.run(
      begun.then(() => untilOver(plan, site, witness as Witness)),
      longest,
    );
    site.cloud.faults.clear();
    // What a fault kept from being cleaned up, the sweeps must find.
    for (let sweeps = 0; sweeps < 4 && (await site.run(isUntidy(site, witness))); sweeps++)
      await site.world.clock.pass(15 * minute);
    load.stop();
    const after = { before, ledger: load.ledger, disaster: plan.disaster?.name, isMute };
    await site.run(judge(site, witness, after));
    const ends = [...witness.executions.values()].map(({ status }) => status);
    const executions = [...witness.executions.values()];
    const { violations } = witness;
    return { plan, violations, story, ends, executions, struck, recoveries: recoveriesOf(plan, site, witness) };
  } finally {
    await site.close();
  }
}

/** From the start, or from the approval where a person was asked, until the application had validated healthy. */
function recoveriesOf({ disaster }: Plan, site: Site, witness: Witness): Recovery[] {
  return [...witness.executions.values()].flatMap(({ states, input: { mode = 'drill' } }): Recovery[] => {
    const begun = states.findLast(({ name }) => name === 'ProductionFirst')?.at;
    const healthy = states.find(({ name }) => name === 'ValidateApplication ended')?.at;
    if (begun === undefined || healthy === undefined) return [];
    const worked = unionMs(site.serviceTimes, begun, healthy);
    const totalMs = healthy - begun;
    const scenario = mode === 'drill' ? mode : (disaster?.name ?? mode);
    return worked === 0 ? [] : [{ scenario, totalSeconds: totalMs / 1000, overhead: totalMs / worked }];
  });
}

/** Milliseconds within [from, until] in which at least one service worked. */
function unionMs(times: readonly ServiceTime[], from: number, until: number): number {
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

/** Nothing runs for a while, after everything that the plan may still bring. */
async function untilOver(plan: Plan, site: Site, witness: Witness): Promise<void> {
  const { clock } = site.world;
  const retryAfterMs = plan.acts.find(({ kind }) => kind === 'retry')?.afterMs ?? 0;
  let quietSince = clock.now();
  await clock.sleep(lastBeginning(plan) + minute);
  for (;;) {
    const executions = [...witness.executions.values()];
    if (executions.some(({ status }) => status === 'RUNNING')) quietSince = clock.now();
    const retries = executions.some(isFailedRecovery) ? retryAfterMs : 0;
    if (clock.now() - quietSince > retries + 2 * minute) return;
    await clock.sleep(30 * second);
  }
}

/** When the last thing of a plan begins that waits for nothing; a disaster may take an alarm's three periods to be seen. */
function lastBeginning({ disaster, acts }: Plan): number {
  const begun = acts.map((act) => (act.kind === 'answer' || act.kind === 'retry' ? 0 : act.afterMs));
  return Math.max(...begun, disaster === undefined ? 0 : disaster.atMs + 12 * minute);
}
