/** The troubles of a plan that is about Regions, and the people who move production. */

import type { FaultEffect } from '../../local/faults.ts';
import { AwsError, type Call, type ServiceName } from '../../local/kernel.ts';
import type { ModelledServer } from '../../local/postgres-model/server.ts';
import type { Plan } from './plan.ts';
import { failBehind } from './region-behind.ts';
import type { Moment, RegionBeginning, RegionTrouble } from './region-plan.ts';
import type { Site } from './site.ts';
import type { Stage } from './stage.ts';
import { machineOf, start } from './start.ts';

const [second, minute] = [1000, 60_000];
/** A probe waits no longer for an answer. */
const longestAnswerMs = 5 * second;

/** Resolves when the moment has come: once the first failover enters the state, and so much later. */
async function comes({ state, afterMs }: Moment, { site, witness }: Stage): Promise<void> {
  const isReached = () =>
    [...witness.executions.values()].some(
      ({ arn, states }) => arn.includes('region-failover') && states.some(({ name }) => name === state),
    );
  while (state !== undefined && !isReached()) await witness.changed();
  await site.sleep(afterMs);
}

export function trouble(troubles: readonly RegionTrouble[], stage: Stage): void {
  for (const each of troubles)
    void makeTrouble(each, stage).catch((error: Error) => stage.story.tell(`${each.kind}: ${error.message}`));
}

async function makeTrouble(each: RegionTrouble, stage: Stage): Promise<void> {
  const { site, story } = stage;
  switch (each.kind) {
    case 'dark':
      return goDark(each, stage);
    case 'cut':
      await site.sleep(each.fromMs);
      return cut(each, stage);
    case 'parted':
      await site.sleep(each.fromMs);
      return part(each, stage);
    case 'guard':
      await site.sleep(each.fromMs);
      story.tell(`the guard, for ${Math.round(each.forMs / minute)} minutes: ${each.what}`);
      return hinderGuard(each, site);
    case 'slow': {
      await site.sleep(each.fromMs);
      story.tell(`the primary's application takes ${each.ms / second} s`);
      const port = portOfApplication(site);
      const answered = site.conditions.silence(each.ms > longestAnswerMs ? ['endpoint'] : [], site.world.clock.now);
      await during(each.forMs, site, (_name, asked) => (asked === port ? each.ms : undefined));
      return answered();
    }
    case 'lag':
      await site.sleep(each.fromMs);
      story.tell(`the replica is ${each.ms / second} s behind from now on`);
      for (const server of replicasOf(site)) if (server.following) server.following.lagMs = each.ms;
      return;
    case 'promotion-stalls':
      site.conditions.promotionMs = each.ms;
      return;
    case 'control-planes':
      await site.sleep(each.fromMs);
      story.tell('the control planes of Route 53 and IAM answer nobody');
      return refuse(site, each.forMs, ['route-53', 'iam'], () => true);
    case 'latch':
      await comes({ state: 'ShiftTraffic', afterMs: each.afterMs }, stage);
      story.tell(`the latch is ${each.what} for ${Math.round(each.forMs / minute)} minutes`);
      return refuse(site, each.forMs, each.what === 'silent' ? ['cloudwatch'] : ['dynamodb'], (name) =>
        name.endsWith('region-publish-latch'),
      );
    case 'behind':
      return failBehind(each, stage);
    case 'readiness':
      return; // it was so before
  }
}

export const replicasOf = ({ databases }: Site): ModelledServer[] =>
  databases.filter(({ following }) => following !== undefined);

const portOfApplication = ({ apiUrl }: Site): number => Number(new URL(apiUrl).port);

async function goDark(
  { atMs, manner, returns }: Extract<RegionTrouble, { kind: 'dark' }>,
  stage: Stage,
): Promise<void> {
  const { site, story } = stage;
  const { region } = site.configuration.primary;
  await site.sleep(atMs);
  story.tell(`DISASTER ${region} goes dark`);
  const answered = site.conditions.silence(['endpoint', 'database', 'control-plane'], site.world.clock.now);
  void site.cloud.goDark(region, manner).then(async () => {
    while (site.cloud.isDark(region)) await site.sleep(5 * second);
    answered();
  });
  if (returns === undefined) return;
  await comes(returns, stage);
  await comeBack(stage);
}

/** Whatever is still away returns; resolves when its databases are up. */
export async function comeBack({ site, story }: Stage): Promise<void> {
  const { primary, dr } = site.configuration;
  if (site.conditions.isParted) {
    story.tell(`${primary.region} and ${dr.region} reach each other again`);
    site.conditions.isParted = false;
    await site.cloud.join(primary.region, dr.region);
  }
  if (!site.cloud.isDark(primary.region)) return;
  story.tell(`${primary.region} returns`);
  await site.cloud.comeBack(primary.region);
}

async function part({ forMs, manner }: Extract<RegionTrouble, { kind: 'parted' }>, stage: Stage): Promise<void> {
  const { site, story } = stage;
  const { conditions, configuration, cloud } = site;
  const { primary, dr } = configuration;
  story.tell(`${primary.region} and ${dr.region} live, and cannot reach each other`);
  const answered = conditions.silence(['endpoint', 'database', 'control-plane'], site.world.clock.now);
  conditions.isParted = true;
  await cloud.part(primary.region, dr.region, manner);
  if (forMs !== undefined) void site.sleep(forMs).then(() => comeBack(stage));
  while (conditions.isParted) await site.sleep(5 * second);
  answered();
}

/** Whatever the guards of both Regions ask of the DR Region's tables; those of the primary are its own. */
async function hinderGuard({ what, forMs }: Extract<RegionTrouble, { kind: 'guard' }>, site: Site): Promise<void> {
  const { clock } = site.world;
  let isOver = false;
  const isMeant = ({ principal, region }: Call) =>
    !isOver &&
    principal.kind === 'role' &&
    principal.sessionName.endsWith('region-guard-database') &&
    (what === 'dies' || region === site.configuration.dr.region);
  const effects = {
    refused: { kind: 'throw', error: new AwsError('ServiceUnavailable', 'simulated: nobody answers') },
    hangs: { kind: 'hold', until: () => clock.sleep(20 * second) },
    'answer-lost': { kind: 'lose-answer' },
    dies: { kind: 'crash', when: 'after' },
  } as const satisfies Record<typeof what, FaultEffect>;
  site.cloud.faults.inject({
    service: 'dynamodb',
    operation: what === 'answer-lost' || what === 'dies' ? 'PutItem' : '*',
    where: (_input, call) => isMeant(call),
    effect: effects[what],
  });
  // It was prolonged up to a minute ago.
  const lastsMs = Math.min(forMs, tenureOf(site) - minute);
  await site.sleep(lastsMs);
  // Production that nobody prolongs refuses its application, whose answers then say so.
  const answered = lastsMs < forMs ? site.conditions.silence(['endpoint'], clock.now) : undefined;
  await site.sleep(forMs - lastsMs);
  isOver = true;
  answered?.();
}

/** Milliseconds for which production takes writes after its guard prolonged that last. */
function tenureOf({ configuration }: Site): number {
  const { fencing } = configuration.region;
  return fencing.mode === 'strict' ? fencing.tenureSeconds * second : Number.POSITIVE_INFINITY;
}

async function cut(
  { who, signals, forMs }: Extract<RegionTrouble, { kind: 'cut' }>,
  { site, story }: Stage,
): Promise<void> {
  const { primary, dr } = site.configuration;
  story.tell(`${signals.join(', ')} of ${primary.region} cannot be seen by ${who} in ${dr.region}`);
  const isMeant = (name: string) => (who === 'probe' ? name.endsWith('region-probe-primary') : inDr.test(name));
  const ports = [
    ...(signals.includes('endpoint') ? [portOfApplication(site)] : []),
    ...(signals.includes('database') ? [site.databases[0]?.port] : []),
  ];
  const answered = site.conditions.silence(signals, site.world.clock.now);
  if (signals.includes('control-plane'))
    void refuse(site, forMs, ['rds'], (name, region) => isMeant(name) && region === primary.region);
  await during(forMs, site, (name, port) => (isMeant(name) && ports.includes(port) ? 'cut' : undefined));
  answered();
}

/** Functions that only work in the DR Region while production is in the primary. */
const inDr = /region-(?!guard)|cut-over|compensate|clean-up|look-at/;

async function during(forMs: number, site: Site, way: Site['conditions']['way']): Promise<void> {
  const { conditions } = site;
  const before = conditions.way;
  let isOver = false;
  // Made apart: see decisions/0023.
  const meanwhile: typeof way = (name, port) => (isOver ? undefined : way(name, port)) ?? before(name, port);
  conditions.way = meanwhile;
  await site.sleep(forMs);
  isOver = true;
}

/** The services answer no function that is meant. */
async function refuse(
  site: Site,
  forMs: number,
  services: readonly ServiceName[],
  isMeant: (functionName: string, region: string) => boolean,
): Promise<void> {
  let isOver = false;
  for (const service of services)
    site.cloud.faults.inject({
      service,
      operation: '*',
      where: (_input, { principal, region }) =>
        !isOver && principal.kind === 'role' && isMeant(principal.sessionName, region),
      effect: { kind: 'throw', error: new AwsError('ServiceUnavailable', 'simulated: nobody answers') },
    });
  await site.sleep(forMs);
  isOver = true;
}

export async function beginRegion(
  beginning: RegionBeginning,
  { site, story }: Stage,
  requestId?: string,
): Promise<void> {
  if (beginning.kind === 'region-lost') return;
  const { mode, style, waives } = beginning;
  const named = requestId === undefined ? {} : { requestId };
  const waiver = waives && { by: 'arn:aws:iam::111122223333:user/simulated', reason: 'simulated', checks: waives };
  const confirm = mode === 'recovery' ? { mode, confirm: site.configuration.environment } : {};
  story.tell(`a person starts a ${style} failover, ${mode}`);
  await start(site, { ...confirm, reason: 'simulated', style, ...named, ...(waiver && { waiver }) }, 'region-failover');
}

/** Once production has moved, its Region is there again and nothing is at work any more, a person brings it home. */
export async function comeHome(plan: Plan, stage: Stage): Promise<void> {
  const act = plan.acts.find((each) => each.kind === 'failback');
  if (act?.kind !== 'failback') return;
  const { site, story, witness } = stage;
  const hasMoved = () => {
    const executions = [...witness.executions.values()];
    const isAway = executions.some(
      ({ arn, input, status }) =>
        machineOf(arn, site) === 'region-failover' && input.mode === 'recovery' && status === 'Succeeded',
    );
    const isQuiet = executions.every(({ status }) => status !== 'RUNNING');
    return isAway && isQuiet && !site.cloud.isDark(site.configuration.primary.region);
  };
  while (!hasMoved()) await site.sleep(15 * second);
  await site.sleep(act.afterMs);
  const request = { mode: 'recovery', confirm: site.configuration.environment, reason: 'simulated' };
  for (let time = 0; time < (act.twice ? 2 : 1); time++) {
    story.tell('a person starts the failback');
    await start(site, request, 'region-failback');
    await site.sleep(3 * second);
  }
}
