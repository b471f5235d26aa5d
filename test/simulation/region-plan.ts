/** What happens in a run that is about Regions, drawn from its seed: who moves production, and what stands in the way. */
import type { Act, CallFault, Fault, Plan } from './plan.ts';
import { type Racing, racingCutOver } from './racing.ts';
import { Draw } from './random.ts';
import type { Variant } from './variants.ts';

const [second, minute] = [1000, 60_000];

export type Style = 'graceful' | 'ungraceful';
export type Signal = 'endpoint' | 'database' | 'control-plane';

export type RegionBeginning =
  /** A person starts the failover, or its drill. */
  | {
      readonly kind: 'failover';
      readonly mode: 'recovery' | 'drill';
      readonly style: Style;
      readonly waives?: readonly string[];
    }
  /** The primary Region is lost, and the composite alarm asks for the failover. */
  | { readonly kind: 'region-lost' };

export type RegionAct =
  /** Once production is in the DR Region, a person brings it home. */
  | { readonly kind: 'failback'; readonly afterMs: number; readonly twice: boolean }
  /** A person starts a failover, whatever is going on. */
  | { readonly kind: 'failover-again'; readonly afterMs: number; readonly style: Style };

/** A time relative to what the failover is at, or to the moment when everything is quiet. */
export type Moment = { readonly afterMs: number; readonly state?: string };

export type RegionTrouble =
  /** The primary Region goes dark; without a return, it returns when everything else is over. */
  | { readonly kind: 'dark'; readonly atMs: number; readonly manner: 'refuse' | 'hang'; readonly returns?: Moment }
  /** What the DR Region asks of the primary gets no answer, though all is well there. */
  | {
      readonly kind: 'cut';
      readonly who: 'probe' | 'everybody';
      readonly signals: readonly Signal[];
      readonly fromMs: number;
      readonly forMs: number;
    }
  /** Both Regions live, and nothing passes between them; without an end, until everything else is over. */
  | { readonly kind: 'parted'; readonly fromMs: number; readonly forMs?: number; readonly manner: 'refuse' | 'hang' }
  /** What the guard asks of the DR Region is refused, hangs, or takes effect without an answer; or the guard dies behind its acts. */
  | {
      readonly kind: 'guard';
      readonly what: 'refused' | 'hangs' | 'answer-lost' | 'dies';
      readonly fromMs: number;
      readonly forMs: number;
    }
  /** The application of the primary takes its time, and answers. */
  | { readonly kind: 'slow'; readonly ms: number; readonly fromMs: number; readonly forMs: number }
  /** The replica is behind. */
  | { readonly kind: 'lag'; readonly ms: number; readonly fromMs: number }
  | { readonly kind: 'promotion-stalls'; readonly ms: number }
  /** Control planes of Route 53 and IAM answer nobody. */
  | { readonly kind: 'control-planes'; readonly fromMs: number; readonly forMs: number }
  /** From the moment on that traffic is shifted, the latch is not published, or cannot be read. */
  | { readonly kind: 'latch'; readonly what: 'silent' | 'unreadable'; readonly afterMs: number; readonly forMs: number }
  /** Behind the cut-over: a person stops the move, or its function may not write the endpoint. */
  | {
      readonly kind: 'behind';
      readonly what: 'stopped' | 'denied';
      readonly machine: 'region-failover' | 'region-failback';
      readonly state: string;
      readonly afterMs: number;
    }
  /** What readiness last said. */
  | { readonly kind: 'readiness'; readonly says: 'nothing' | 'stale' | 'not-ready' };

export const regionScenarios = ['region', 'failback'] as const;
export type RegionScenario = (typeof regionScenarios)[number];

export const isRegionScenario = (name: string | undefined): name is RegionScenario =>
  regionScenarios.some((each) => each === name);

/** Calls of the region area that may go wrong. */
const calls: readonly (readonly [service: string, operation: string])[] = [
  ['rds', 'PromoteReadReplica'],
  ['rds', 'CreateDBInstanceReadReplica'],
  ['rds', 'AddTagsToResource'],
  ['rds', 'DescribeDBInstances'],
  ['rds', 'ModifyDBInstance'],
  ['rds', 'CreateDBSnapshot'],
  ['eks', 'UpdateNodegroupConfig'],
  ['eks', 'DescribeNodegroup'],
  ['eks', 'DescribeCluster'],
  ['dynamodb', 'GetItem'],
  ['dynamodb', 'PutItem'],
  ['dynamodb', 'UpdateItem'],
  ['dynamodb', 'DeleteItem'],
  ['dynamodb', 'Query'],
  ['ssm', 'GetParameter'],
  ['ssm', 'PutParameter'],
  ['secrets-manager', 'GetSecretValue'],
  ['cloudwatch', 'PutMetricData'],
  ['cloudwatch', 'DescribeAlarms'],
  ['sns', 'Publish'],
  ['s3', 'PutObject'],
  ['sfn', 'DescribeExecution'],
  ['sfn', 'SendTaskSuccess'],
  ['lambda', 'Invoke'],
];

const racing: Racing = [
  ['region/fence-primary', 'dynamodb', 'PutItem'],
  ['region/promote-replica', 'rds', 'PromoteReadReplica'],
  ['region/scale-standby', 'eks', 'UpdateNodegroupConfig'],
  ['region/shift-traffic', 'dynamodb', 'PutItem', 'control'],
  ['region/shift-traffic', 'cloudwatch', 'PutMetricData'],
  ...racingCutOver,
  ['region/make-home-replica', 'rds', 'CreateDBInstanceReadReplica'],
];

/** While these states are entered, a Region may return: before and after production is cut over. */
const turns = [
  'RequestApproval',
  'FencePrimary',
  'PromoteReplica',
  'AwaitPromoted',
  'FenceDatabase',
  'CutOver',
  'ShiftTraffic',
  'AwaitTraffic',
];

export function regionPlanOf(seed: number, scenario: RegionScenario): Plan {
  const draw = new Draw(seed, scenario);
  const isFailback = scenario === 'failback';
  const beginning = isFailback ? easyBeginning(draw) : drawBeginning(draw);
  const troubles = [
    ...(isFailback ? returning(beginning) : drawTroubles(draw, beginning)),
    ...drawBehind(seed, scenario),
  ];
  const variant = isFailback ? undefined : drawVariant(seed);
  return {
    seed,
    beginning,
    region: troubles,
    acts: drawActs(draw, isFailback),
    faults: Array.from({ length: draw.integer(0, isFailback ? 3 : 2) }, () => drawFault(draw, isFailback)),
    skewMs: draw.chance(0.3) ? Math.round(draw.between(-2 * second, 2 * second)) : 0,
    ...(variant && inVariant(variant, seed, beginning, troubles)),
  };
}

/** From a stream of its own: what else happens is as it was before anything failed there. */
function drawBehind(seed: number, scenario: RegionScenario): RegionTrouble[] {
  const draw = new Draw(seed, `behind the cut-over: ${scenario}`);
  if (!draw.chance(0.2)) return [];
  const machine = scenario === 'failback' && draw.chance(0.7) ? 'region-failback' : 'region-failover';
  const isStopped = draw.chance(0.7);
  const state = isStopped
    ? draw.pick(['AwaitWorkload', 'ValidateApplication', 'ShiftTraffic', 'AwaitTraffic'])
    : 'CutOver';
  const afterMs = isStopped ? Math.round(draw.between(0, 3 * second)) : 0;
  return [{ kind: 'behind', what: isStopped ? 'stopped' : 'denied', machine, state, afterMs }];
}

/** These are of production as it is configured. */
const ownSeeds = 40;

/** From a stream of its own: what else happens is the same in every variant. */
function drawVariant(seed: number): Variant | undefined {
  if (seed <= ownSeeds) return undefined;
  const kind = new Draw(seed, 'variant').weighted({ production: 4, strict: 3, 'strict-backups': 2, backups: 1 });
  return kind === 'production' ? undefined : kind;
}

/** What only matters in a variant: strict fencing is about Regions that lose each other. */
function inVariant(
  variant: Variant,
  seed: number,
  beginning: RegionBeginning,
  troubles: readonly RegionTrouble[],
): Pick<Plan, 'variant' | 'beginning' | 'region'> {
  const draw = new Draw(seed, variant);
  const isStrict = variant !== 'backups';
  const more: RegionTrouble[] = [];
  const isParted = isStrict && !troubles.some(({ kind }) => kind === 'dark') && draw.chance(0.7);
  if (isParted)
    more.push({
      kind: 'parted',
      fromMs: Math.round(draw.between(0, draw.chance(0.6) ? 30 * second : 6 * minute)),
      manner: draw.pick<'refuse' | 'hang'>(['refuse', 'hang']),
      ...(draw.chance(0.7) && { forMs: Math.round(draw.between(minute, 45 * minute)) }),
    });
  if (isStrict && draw.chance(0.4))
    more.push({
      kind: 'guard',
      what: draw.pick<'refused' | 'hangs' | 'answer-lost' | 'dies'>(['refused', 'hangs', 'answer-lost', 'dies']),
      fromMs: Math.round(draw.between(0, 6 * minute)),
      forMs: Math.round(draw.between(2 * minute, 20 * minute)),
    });
  return { variant, beginning: begunIn(variant, isParted, beginning, draw), region: [...troubles, ...more] };
}

/** Without a replica nobody switches over, and of Regions that are parted somebody knows that they are. */
function begunIn(variant: Variant, isParted: boolean, beginning: RegionBeginning, draw: Draw): RegionBeginning {
  if (beginning.kind === 'region-lost' || beginning.mode === 'drill') return beginning;
  const { style, ...rest } = beginning;
  const isSpoilt = style === 'graceful' && draw.chance(variant === 'strict' ? 0.3 : 0.8);
  const begun = { ...rest, style: isSpoilt ? 'ungraceful' : style } as const;
  return begun.style === 'ungraceful' && isParted && draw.chance(0.8) ? { ...begun, waives: ['primary-lost'] } : begun;
}

function drawBeginning(draw: Draw): RegionBeginning {
  const kind = draw.weighted({ lost: 5, graceful: 3, ungraceful: 3, drill: 2 });
  if (kind === 'lost') return { kind: 'region-lost' };
  if (kind === 'drill') return { kind: 'failover', mode: 'drill', style: draw.pick(['graceful', 'ungraceful']) };
  const waives = kind === 'ungraceful' && draw.chance(0.5) ? { waives: ['primary-lost'] } : {};
  return { kind: 'failover', mode: 'recovery', style: kind, ...waives };
}

/** One that succeeds, so that there is somewhere to come home from. */
const easyBeginning = (draw: Draw): RegionBeginning =>
  draw.chance(0.5) ? { kind: 'region-lost' } : { kind: 'failover', mode: 'recovery', style: 'graceful' };

const returning = ({ kind }: RegionBeginning): RegionTrouble[] =>
  kind === 'region-lost'
    ? [{ kind: 'dark', atMs: 0, manner: 'refuse', returns: { state: 'AwaitTraffic', afterMs: 5 * minute } }]
    : [];

function drawTroubles(draw: Draw, beginning: RegionBeginning): RegionTrouble[] {
  const troubles: RegionTrouble[] = [];
  if (beginning.kind === 'region-lost' && !draw.chance(0.2)) troubles.push(drawDark(draw));
  else if (beginning.kind === 'region-lost') troubles.push(drawCut(draw));
  else if (draw.chance(0.2)) troubles.push(drawDark(draw));
  const more = draw.weighted({
    none: 6,
    cut: 2,
    slow: 2,
    lag: 2,
    'promotion-stalls': 1,
    'control-planes': 2,
    latch: 3,
    readiness: 1,
  });
  const afterMs = Math.round(draw.between(0, 10 * minute));
  const forMs = Math.round(draw.between(2 * minute, 20 * minute));
  if (more === 'cut') troubles.push(drawCut(draw));
  if (more === 'slow')
    troubles.push({ kind: 'slow', ms: draw.pick([3 * second, 8 * second, 20 * second]), fromMs: afterMs, forMs });
  if (more === 'lag')
    troubles.push({ kind: 'lag', ms: draw.pick([30 * second, 5 * minute, 20 * minute]), fromMs: afterMs });
  if (more === 'promotion-stalls')
    troubles.push({ kind: 'promotion-stalls', ms: draw.pick([15 * minute, 45 * minute]) });
  if (more === 'control-planes') troubles.push({ kind: 'control-planes', fromMs: 0, forMs: 120 * minute });
  if (more === 'latch')
    troubles.push({
      kind: 'latch',
      what: draw.pick(['silent', 'unreadable']),
      afterMs: Math.round(draw.between(0, 3 * minute)),
      forMs,
    });
  if (more === 'readiness') troubles.push({ kind: 'readiness', says: draw.pick(['nothing', 'stale', 'not-ready']) });
  return troubles;
}

function drawDark(draw: Draw): RegionTrouble {
  const how = draw.weighted({ never: 5, soon: 1, turn: 5 });
  const dark = {
    kind: 'dark',
    atMs: Math.round(draw.between(0, 3 * minute)),
    manner: draw.pick<'refuse' | 'hang'>(['refuse', 'hang']),
  } as const;
  if (how === 'never') return dark;
  if (how === 'soon') return { ...dark, returns: { afterMs: Math.round(draw.between(30 * second, 6 * minute)) } };
  return {
    ...dark,
    returns: { state: draw.pick(turns as [string]), afterMs: Math.round(draw.between(0, 90 * second)) },
  };
}

function drawCut(draw: Draw): RegionTrouble {
  const signals = draw.pick<readonly Signal[]>([
    ['endpoint'],
    ['database'],
    ['control-plane'],
    ['endpoint', 'database'],
    ['endpoint', 'database', 'control-plane'],
  ]);
  const fromMs = Math.round(draw.between(0, 3 * minute));
  return {
    kind: 'cut',
    who: draw.pick(['probe', 'everybody']),
    signals,
    fromMs,
    forMs: Math.round(draw.between(2 * minute, 40 * minute)),
  };
}

function drawActs(draw: Draw, isFailback: boolean): Act[] {
  const answer = isFailback ? 'approve' : draw.weighted({ approve: 8, decline: 1, nothing: 1 });
  const answersAfter = draw.chance(0.5) ? draw.between(5 * second, minute) : draw.logNormal(3 * minute, 12 * minute);
  const acts: Act[] = [
    { kind: 'answer', answer, afterMs: Math.round(answersAfter), twice: draw.chance(0.2), latest: false },
  ];
  if (isFailback)
    acts.push({ kind: 'failback', afterMs: Math.round(draw.between(minute, 8 * minute)), twice: draw.chance(0.2) });
  if (!isFailback && draw.chance(0.2))
    acts.push({
      kind: 'failover-again',
      afterMs: Math.round(draw.between(0, 15 * minute)),
      style: draw.pick(['graceful', 'ungraceful']),
    });
  if (draw.chance(0.15))
    acts.push({ kind: 'cancel', afterMs: Math.round(draw.between(0, isFailback ? 70 * minute : 25 * minute)) });
  if (draw.chance(0.4)) acts.push({ kind: 'retry', afterMs: Math.round(draw.between(minute, 6 * minute)) });
  return acts;
}

function drawFault(draw: Draw, isFailback: boolean): Fault {
  const kind = draw.weighted({ call: 10, event: 1, 'stop-during': 3 });
  if (kind === 'stop-during') {
    const [name, service, operation, about = ''] = draw.pick(racing as [Racing[number]]);
    return { kind, function: name, service, operation, about, holdMs: Math.round(draw.between(second, 7 * second)) };
  }
  if (kind === 'event')
    return {
      kind,
      source: draw.pick(['alarm', 'ended']),
      arrivalsMs: draw.pick<readonly number[]>([[], [0, 0], [90 * second], [9 * minute], [20 * minute]]),
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
  const fromMs = Math.round(draw.between(0, isFailback ? 80 * minute : 30 * minute));
  return { kind, fault, service, operation, fromMs, times: draw.integer(1, 3) };
}
