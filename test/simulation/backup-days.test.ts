/** Forty days of backups on the virtual clock: what is left in each Region after each day, good or bad. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { configurationOf } from '../../config/index.ts';
import { backupTag } from '../../core/backup/names.ts';
import { AwsError, type ServiceName } from '../../local/kernel.ts';
import { withChance } from './chance.ts';
import { Draw } from './random.ts';
import { Site } from './site.ts';

const directory = mkdtempSync(join(tmpdir(), 'backup-days-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const configuration = configurationOf('production');
const { identifier } = configuration.database;
const kept = configuration.objectives.dailyBackupsKept;
const [here, there] = [configuration.primary.region, configuration.dr.region];
const [minute, hour] = [60_000, 3_600_000];

/** What happens to the backup of a day. */
type Day =
  | 'good'
  /** RDS refuses the snapshot. */
  | 'no snapshot'
  /** The other Region refuses the copy. */
  | 'no copy'
  /** The copy begins, and fails. */
  | 'broken copy'
  /** The schedule starts nothing. */
  | 'missed'
  /** The answer to the call that takes the snapshot is lost, and it is made again. */
  | 'answer lost'
  /** RDS refuses to delete what is not kept. */
  | 'no deletion';

interface Plan {
  readonly day: Day;
  /** Somebody takes a snapshot of their own: under a name of theirs, or under one that looks like a backup's. */
  readonly manual?: 'theirs' | 'ours';
}

function planOf(seed: number): Plan[] {
  const draw = new Draw(seed, 'backup days');
  const stretch = draw.integer(10, 20);
  return Array.from({ length: 40 }, (_, index): Plan => {
    const drawn = draw.weighted<Day>({
      good: 10,
      'no snapshot': 2,
      'no copy': 2,
      'broken copy': 2,
      missed: 2,
      'answer lost': 2,
      'no deletion': 1,
    });
    // Longer than what is kept: the last good ones must outlive it.
    const day = index >= stretch && index < stretch + kept + 3 ? 'no copy' : drawn;
    return { day, ...(draw.chance(0.15) && { manual: draw.pick(['theirs', 'ours']) }) };
  });
}

/** What must be there, by what happened alone: this knows nothing of how the product decides. */
class Expected {
  readonly days: Readonly<Record<string, string[]>> = { [here]: [], [there]: [] };
  /** Copies that failed and wait for a good one. */
  readonly failed: string[] = [];
  readonly manual: string[] = [];

  /** `date`: as in a backup's name. Answers the verdict of the day's run. */
  after(date: string, day: Day): 'succeeded' | 'failed' | undefined {
    if (day === 'missed') return undefined;
    const [own = [], other = []] = [this.days[here], this.days[there]];
    if (day !== 'no snapshot') own.push(date);
    if (day === 'good' || day === 'answer lost' || day === 'no deletion') other.push(date);
    if (day === 'broken copy') this.failed.push(date);
    const [newest = ''] = other.slice(-1);
    const superseded = this.failed.filter((each) => each < newest);
    if (day === 'no deletion')
      return own.length > kept || other.length > kept || superseded.length > 0 ? 'failed' : 'succeeded';
    own.splice(0, own.length - kept);
    other.splice(0, other.length - kept);
    this.failed.splice(0, superseded.length);
    return day === 'good' || day === 'answer lost' ? 'succeeded' : 'failed';
  }

  in(region: string): string[] {
    const failed = region === there ? this.failed : [];
    return [...(this.days[region] ?? []), ...failed, ...(region === here ? this.manual : [])].sort();
  }
}

interface Fault {
  readonly service: ServiceName;
  readonly operation: string;
  readonly error?: AwsError;
  /** Strikes from its second call on, of those that RDS makes itself. */
  readonly second?: true;
}
const refused = new AwsError('InvalidParameterValue', 'simulated');
const faults: Readonly<Partial<Record<Day, Fault>>> = {
  'no snapshot': { service: 'rds', operation: 'CreateDBSnapshot', error: refused },
  'no copy': { service: 'rds', operation: 'CopyDBSnapshot', error: refused },
  'broken copy': { service: 'rds', operation: 'CopyDBSnapshot', error: refused, second: true },
  missed: { service: 'sfn', operation: 'StartExecution', error: refused },
  'answer lost': { service: 'rds', operation: 'CreateDBSnapshot' },
  'no deletion': { service: 'rds', operation: 'DeleteDBSnapshot', error: refused },
};

function strike(day: Day, site: Site): void {
  const fault = faults[day];
  if (fault === undefined) return;
  let calls = 0;
  const { service, operation, error, second } = fault;
  site.cloud.faults.inject({
    service,
    operation,
    ...(error === undefined && { times: 1 }),
    where: (_, { principal }) => (second ? principal.kind === 'service' && ++calls > 1 : principal.kind === 'role'),
    effect: error === undefined ? { kind: 'lose-answer' } : { kind: 'throw', error },
  });
}

interface Snapshot {
  readonly DBSnapshotIdentifier: string;
  readonly Status: string;
  readonly TagList: readonly { readonly Key: string }[];
}

/** The day of each backup, and the names of what somebody else made. */
async function snapshotsIn(region: string, site: Site): Promise<string[]> {
  const input = { SnapshotType: 'manual' };
  const { DBSnapshots } = await site.call<{ DBSnapshots: Snapshot[] }>('rds', 'DescribeDBSnapshots', input, region);
  return DBSnapshots.map(({ DBSnapshotIdentifier: name, TagList }) =>
    TagList.some(({ Key }) => Key === backupTag) ? (/(\d{8})-\d{6}$/.exec(name)?.[1] ?? name) : name,
  ).sort();
}

/** Only the daily backup: forty days of heartbeats would say nothing here, and take minutes. */
async function quieten(site: Site): Promise<void> {
  const { names } = site;
  for (const region of [here, there]) {
    type Schedules = { Schedules: { Name: string }[] };
    const { Schedules } = await site.call<Schedules>('scheduler', 'ListSchedules', {}, region);
    for (const { Name } of Schedules.filter((each) => each.Name !== names.schedule('backup')))
      await site.call('scheduler', 'DeleteSchedule', { Name }, region);
    type Alarms = { MetricAlarms: { AlarmName: string }[] };
    const { MetricAlarms } = await site.call<Alarms>('cloudwatch', 'DescribeAlarms', {}, region);
    const AlarmNames = MetricAlarms.map(({ AlarmName }) => AlarmName);
    await site.call('cloudwatch', 'DeleteAlarms', { AlarmNames }, region);
  }
}

/** Verdicts of the runs that are on record, the oldest first. */
async function verdictsOf(site: Site): Promise<string[]> {
  type Items = { Items: Parameters<typeof unmarshall>[0][] };
  const { Items } = await site.call<Items>('dynamodb', 'Scan', { TableName: site.names.incidentTable });
  return Items.map((item) => unmarshall(item))
    .filter(({ pk }) => pk === 'backup')
    .toSorted((a, b) => String(a.sk).localeCompare(String(b.sk)))
    .map(({ verdict }) => String(verdict));
}

async function live(seed: number) {
  const site = await Site.open({
    configuration,
    assembly: inject('assemblies').production,
    directory,
    seed,
    probeSeconds: 30 * 86_400,
  });
  const { clock } = site.world;
  try {
    await site.run(quieten(site));
    const expected = new Expected();
    const differences: string[] = [];
    const control = new Expected();
    let surprises = 0;
    const verdicts: string[] = [];
    for (const { day, manual } of planOf(seed)) {
      await clock.pass(nextAt(clock.now(), 1.5 * hour));
      await site.run(site.dump());
      if (manual) expected.manual.push(await site.run(takeByHand(manual, site)));
      await clock.pass(15 * minute);
      strike(day, site);
      const date = new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', '');
      await clock.pass(10 * hour);
      site.cloud.faults.clear();
      const verdict = expected.after(date, day);
      control.after(date, 'good');
      if (verdict) verdicts.push(verdict);
      for (const region of [here, there]) {
        const found = await site.run(snapshotsIn(region, site));
        const wanted = expected.in(region);
        if (found.join() !== control.in(region).join()) surprises++;
        if (found.join() !== wanted.join())
          differences.push(`${date} (${day}) in ${region}: ${found.join()} instead of ${wanted.join()}`);
      }
    }
    return { differences, verdicts, recorded: await site.run(verdictsOf(site)), expected, surprises };
  } finally {
    await site.close();
  }
}

/** Milliseconds until that time of day, UTC. */
const nextAt = (now: number, timeOfDay: number) => (timeOfDay - (now % (24 * hour)) + 24 * hour) % (24 * hour);

async function takeByHand(kind: 'theirs' | 'ours', site: Site): Promise<string> {
  const date = new Date(site.world.clock.now()).toISOString().slice(0, 10).replaceAll('-', '');
  const name = kind === 'theirs' ? `by-hand-${date}` : `dr-backup-${identifier}-${date}-013000`;
  const input = { DBSnapshotIdentifier: name, DBInstanceIdentifier: identifier };
  await site.call('rds', 'CreateDBSnapshot', input);
  while ((await site.instance(identifier))?.DBInstanceStatus !== 'available') await site.sleep(30_000);
  return name;
}

describe('forty days of backups', () => {
  test('leave exactly the right ones in each Region after each day', async () => {
    const seed = 2;
    const { differences, verdicts, recorded, expected, surprises } = await withChance(
      new Draw(seed, 'process').next,
      () => live(seed),
    );
    expect(differences).toEqual([]);
    expect(recorded).toEqual(verdicts);
    // Both Regions hold what is kept, and the days differ: a copy that fails for longer than that takes nothing away.
    expect(expected.days[there]).toHaveLength(kept);
    expect(expected.manual.length).toBeGreaterThan(0);
    // Control: whoever expects forty good days is wrong on many of them.
    expect(surprises).toBeGreaterThan(20);
  });
});
