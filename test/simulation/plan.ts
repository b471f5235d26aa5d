/** What happens in one run: drawn from the seed before it begins, so that a part can be left out to see whether it mattered. */
import { type Racing, racingCutOver } from './racing.ts';
import { Draw } from './random.ts';
import {
  isRegionScenario,
  type RegionAct,
  type RegionBeginning,
  type RegionScenario,
  type RegionTrouble,
  regionPlanOf,
  regionScenarios,
} from './region-plan.ts';
import type { Variant } from './variants.ts';

const [second, minute] = [1000, 60_000];

/** With how often one is drawn. */
const disasters = {
  'drop-table': 3,
  'bad-update': 3,
  'bad-migration': 2,
  'page-corruption': 3,
  'index-corruption': 2,
  'instance-lost': 4,
  'instance-deleted': 1,
  /** It does not answer for some minutes, and comes back by itself. */
  hiccup: 2,
};
export type Disaster = keyof typeof disasters;

const starts = ['scheduled-drill', 'drill', 'recovery'] as const;
/** How a run begins: a drill or a recovery that somebody starts, a disaster that the alarms see, or what is about Regions. */
export type Scenario = (typeof starts)[number] | Disaster | RegionScenario;
const databaseScenarios = [...starts, ...(Object.keys(disasters) as Disaster[])];
export const scenarios: readonly Scenario[] = [...databaseScenarios, ...regionScenarios];

/** Who begins, and with what. Times are milliseconds from the moment when the installation is quiet. */
export type Beginning =
  | { readonly kind: 'scheduled-drill' }
  | { readonly kind: 'drill'; readonly restoreTo: RestoreWish }
  | { readonly kind: 'recovery'; readonly restoreTo: RestoreWish }
  /** For want of the environment's name. */
  | {
      readonly kind: 'refused';
      readonly machine?: 'cluster-recovery' | 'configuration-recovery' | 'region-failover' | 'region-failback';
    }
  /** Nobody hears from the cluster's nodes, and a person starts its recovery. */
  | { readonly kind: 'cluster' }
  /** A record and a deployment are deleted, and a person starts the recovery; or its drill. */
  | { readonly kind: 'configuration'; readonly mode: 'recovery' | 'drill' }
  /** A person starts the backup, or the proof of the newest one. */
  | { readonly kind: 'backup'; readonly task: BackupTask }
  /** A person asks whether a recovery would work. */
  | { readonly kind: 'look' }
  /** The alarms begin. */
  | { readonly kind: 'disaster' }
  | RegionBeginning;

export type BackupTask = 'backup' | 'prove';

/** `minutes-ago` is a time before the disaster, where there is one. */
export type RestoreWish = 'latest' | 'minutes-ago' | 'snapshot';

/** A person, as the recovery meets one. */
export type Act =
  | RegionAct
  | {
      readonly kind: 'answer';
      readonly answer: 'approve' | 'decline' | 'nothing';
      readonly afterMs: number;
      readonly twice: boolean;
      /** The person insists on the latest moment, whatever was proposed. */
      readonly latest: boolean;
    }
  | { readonly kind: 'start-again'; readonly afterMs: number }
  | { readonly kind: 'cancel'; readonly afterMs: number }
  | { readonly kind: 'backup'; readonly task: BackupTask; readonly afterMs: number }
  | { readonly kind: 'look'; readonly afterMs: number }
  /** The drill that follows a recovery, that long after it began. */
  | { readonly kind: 'stop-follow-up'; readonly afterMs: number }
  /** After a failure; with another restore point, where the recovery names one. */
  | { readonly kind: 'retry'; readonly afterMs: number };

export const callFaults = [
  ...(['throttle', 'unavailable', 'hang', 'lose-answer', 'deny', 'crash-before', 'crash-after'] as const),
] as const;
export type CallFault = (typeof callFaults)[number];

export type Fault =
  | {
      readonly kind: 'call';
      readonly fault: CallFault;
      readonly service: string;
      readonly operation: string;
      readonly fromMs: number;
      readonly times: number;
    }
  /** While a function of the product makes this call, its execution is stopped; the call takes effect afterwards. */
  | {
      readonly kind: 'stop-during';
      readonly function: string;
      readonly service: string;
      readonly operation: string;
      /** Only where the call is about this: a table, a parameter. */
      readonly about: string;
      readonly holdMs: number;
    }
  /** Somebody lets the application's role log in again, that long after it was shut out. */
  | { readonly kind: 'reopened'; readonly afterMs: number }
  /** Somebody's instance has the name that the recovery wants to restore to; its tags say whose it is. */
  | { readonly kind: 'squatter'; readonly tagged: boolean }
  /** RDS has no host for what this call would make, so often. */
  | { readonly kind: 'no-capacity'; readonly operation: string; readonly times: number }
  | { readonly kind: 'restore'; readonly ends: 'storage-full' | 'incompatible-restore' }
  | { readonly kind: 'event'; readonly source: 'alarm' | 'ended' | 'instance'; readonly arrivalsMs: readonly number[] };

export interface Plan {
  readonly seed: number;
  readonly beginning: Beginning;
  readonly disaster?: { readonly name: Disaster; readonly atMs: number };
  /** Where it is about Regions, of which one then stands by: what happens to them. */
  readonly region?: readonly RegionTrouble[];
  /** How the installation differs from production's own configuration. */
  readonly variant?: Variant;
  readonly acts: readonly Act[];
  readonly faults: readonly Fault[];
  /** Milliseconds by which the DR Region's clock is ahead; negative: behind. */
  readonly skewMs: number;
}

/** Calls of the product's functions that may go wrong, with how often one is chosen. */
const calls: readonly (readonly [service: string, operation: string])[] = [
  ['dynamodb', 'GetItem'],
  ['dynamodb', 'PutItem'],
  ['dynamodb', 'UpdateItem'],
  ['dynamodb', 'DeleteItem'],
  ['dynamodb', 'Query'],
  ['rds', 'DescribeDBInstances'],
  ['rds', 'DescribeDBInstanceAutomatedBackups'],
  ['rds', 'RestoreDBInstanceToPointInTime'],
  ['rds', 'CreateDBSnapshot'],
  ['rds', 'ModifyDBInstance'],
  ['rds', 'DeleteDBInstance'],
  ['secrets-manager', 'GetSecretValue'],
  ['ssm', 'GetParameter'],
  ['ssm', 'PutParameter'],
  ['sns', 'Publish'],
  ['s3', 'PutObject'],
  ['sfn', 'DescribeExecution'],
  ['sfn', 'StopExecution'],
  ['sfn', 'SendTaskSuccess'],
  ['eks', 'DescribeCluster'],
  ['cloudwatch', 'DescribeAlarms'],
  ['cloudwatch', 'PutMetricData'],
  ['lambda', 'Invoke'],
];

const racing: Racing = [
  ['database/fence-source', 'dynamodb', 'PutItem'],
  ['database/fence-source', 'sns', 'Publish'],
  ['database/restore-database', 'rds', 'RestoreDBInstanceToPointInTime'],
  ['database/snapshot-source', 'rds', 'CreateDBSnapshot'],
  ...racingCutOver,
  ['database/protect-database', 'rds', 'ModifyDBInstance'],
  ['database/tear-down', 'rds', 'DeleteDBInstance'],
  ['incident/compensate', 'dynamodb', 'UpdateItem'],
  ['incident/close-incident', 's3', 'PutObject'],
  ['incident/close-incident', 'dynamodb', 'DeleteItem'],
];

/** Of a scenario, where one is given: everything else is drawn. */
export function planOf(seed: number, scenario?: Scenario): Plan {
  if (isRegionScenario(scenario)) return regionPlanOf(seed, scenario);
  const draw = new Draw(seed, 'plan');
  const beginning = drawBeginning(draw, scenario);
  const isDrill = beginning.kind === 'drill' || beginning.kind === 'scheduled-drill';
  const strikes = beginning.kind === 'disaster' || draw.chance(isDrill ? 0.1 : 0.6);
  const drawn = strikes ? { name: draw.weighted(disasters), atMs: Math.round(draw.between(0, 4 * minute)) } : undefined;
  const disaster = drawn && { ...drawn, ...(isDisaster(scenario) && { name: scenario }) };
  return {
    seed,
    beginning,
    ...(disaster && { disaster }),
    acts: [...drawActs(draw), ...drawBackup(seed), ...drawLook(seed), ...drawStop(seed)],
    faults: [
      ...Array.from({ length: draw.integer(0, 4) }, () => drawFault(draw)),
      // What heals by itself matters where its alarms come late.
      ...(disaster?.name === 'hiccup' && draw.chance(0.6) ? [lateAlarms] : []),
    ],
    skewMs: draw.chance(0.3) ? Math.round(draw.between(-2 * second, 2 * second)) : 0,
  };
}

/** From a stream of its own: what else happens is as it was before there were backups. */
function drawBackup(seed: number): Act[] {
  const draw = new Draw(seed, 'backup');
  if (!draw.chance(0.08)) return [];
  const task = draw.weighted<BackupTask>({ backup: 4, prove: 1 });
  return [{ kind: 'backup', task, afterMs: Math.round(draw.between(0, 15 * minute)) }];
}

/** So is a look at readiness. */
function drawLook(seed: number): Act[] {
  const draw = new Draw(seed, 'look');
  return draw.chance(0.04) ? [{ kind: 'look', afterMs: Math.round(draw.between(0, 15 * minute)) }] : [];
}

/** Whoever has a recovery behind them leaves the drill that follows for later, mostly: drills are simulated on their own. */
function drawStop(seed: number): Act[] {
  const draw = new Draw(seed, 'follow-up');
  if (!draw.chance(0.95)) return [];
  const latest = draw.chance(0.25) ? 12 * second : 250;
  return [{ kind: 'stop-follow-up', afterMs: Math.round(draw.between(0, latest)) }];
}

const lateAlarms: Fault = { kind: 'event', source: 'alarm', arrivalsMs: [9 * minute] };

const isDisaster = (scenario: Scenario | undefined): scenario is Disaster =>
  scenario !== undefined && Object.hasOwn(disasters, scenario);

function drawBeginning(draw: Draw, scenario: Exclude<Scenario, RegionScenario> | undefined): Beginning {
  const drawn = draw.weighted({ 'scheduled-drill': 2, drill: 2, recovery: 3, disaster: 4 });
  const kind = scenario === undefined ? drawn : isDisaster(scenario) ? 'disaster' : scenario;
  if (kind === 'scheduled-drill' || kind === 'disaster') return { kind };
  return { kind, restoreTo: draw.weighted({ latest: 6, 'minutes-ago': 3, snapshot: 1 }) };
}

function drawActs(draw: Draw): Act[] {
  const answer = draw.weighted({ approve: 8, decline: 1, nothing: 1 });
  const acts: Act[] = [
    {
      kind: 'answer',
      answer,
      afterMs: Math.round(
        draw.chance(0.3) ? draw.between(5 * second, minute) : draw.logNormal(2 * minute, 12 * minute),
      ),
      twice: draw.chance(0.2),
      latest: draw.chance(0.15),
    },
  ];
  if (draw.chance(0.1)) acts.push({ kind: 'start-again', afterMs: Math.round(draw.between(0, 20 * minute)) });
  if (draw.chance(0.2)) acts.push({ kind: 'cancel', afterMs: Math.round(draw.between(0, 45 * minute)) });
  if (draw.chance(0.25)) acts.push({ kind: 'retry', afterMs: Math.round(draw.between(minute, 10 * minute)) });
  return acts;
}

function drawFault(draw: Draw): Fault {
  const kind = draw.weighted({ call: 16, restore: 2, event: 4, 'stop-during': 4, reopened: 1, squatter: 2 });
  if (kind === 'stop-during') {
    const [name, service, operation, about = ''] = draw.pick(racing as [Racing[number]]);
    return { kind, function: name, service, operation, about, holdMs: Math.round(draw.between(second, 7 * second)) };
  }
  if (kind === 'reopened') return { kind, afterMs: draw.pick([0, 5 * second, 5 * minute]) };
  if (kind === 'squatter') return { kind, tagged: draw.chance(0.7) };
  if (kind === 'restore') return { kind, ends: draw.pick(['storage-full', 'incompatible-restore']) };
  if (kind === 'event')
    return {
      kind,
      source: draw.pick(['alarm', 'ended', 'instance']),
      arrivalsMs: draw.pick<readonly number[]>([
        [],
        [0, 0],
        [0, 4 * minute],
        [90 * second],
        [9 * minute],
        [20 * minute],
      ]),
    };
  const [service, operation] = draw.pick(calls as [(typeof calls)[number]]);
  const fault = draw.weighted<CallFault>({
    throttle: 3,
    unavailable: 2,
    hang: 1,
    'lose-answer': 4,
    deny: 2,
    'crash-before': 3,
    'crash-after': 4,
  });
  return {
    kind,
    fault,
    service,
    operation,
    fromMs: Math.round(draw.between(0, 40 * minute)),
    times: draw.integer(1, 4),
  };
}
