/** The disaster of a plan, and its people. */

import { settingsOf } from '../../config/names.ts';
import { candidateIdentifier, incidentId, requestKey } from '../../core/incident/identifiers.ts';
import { SqlError } from '../../local/postgres-model/content.ts';
import type { ModelledServer } from '../../local/postgres-model/server.ts';
import { cutNodesOff } from './builds.ts';
import { loseConfiguration } from './lost-configuration.ts';
import type { Act, Beginning, Disaster, Plan, RestoreWish } from './plan.ts';
import { beginRegion, comeHome, trouble } from './region-actors.ts';
import { finishMoves } from './region-behind.ts';
import type { Site } from './site.ts';
import type { Stage } from './stage.ts';
import { incidentOf, machineOf, start } from './start.ts';
import { nameOf, type Seen } from './witness.ts';

const second = 1000;

/** Everything that a plan has people and fate do, each at its time. Resolves when whoever begins has begun; never rejects. */
export function perform(plan: Plan, stage: Stage): Promise<void> {
  const { site, story } = stage;
  const at = (ms: number, act: () => Promise<void> | void) =>
    site.sleep(ms).then(async () => {
      try {
        await act();
      } catch (error) {
        story.tell(`it could not be done: ${error instanceof Error ? error.message : error}`);
      }
    });
  if (plan.disaster) void at(plan.disaster.atMs, () => strike(plan.disaster?.name ?? 'drop-table', stage));
  const squatter = plan.faults.find((fault) => fault.kind === 'squatter');
  const requestId = `simulated-${plan.seed}`;
  const begun = at(5 * second, async () => {
    if (squatter && plan.beginning.kind === 'drill') await squatBeforeDrill(squatter.tagged, stage, requestId);
    await begin(plan.beginning, stage, requestId);
  });
  for (const act of plan.acts) {
    if (act.kind === 'start-again') void at(act.afterMs, () => begin({ kind: 'recovery', restoreTo: 'latest' }, stage));
    if (act.kind === 'cancel') void at(act.afterMs, () => cancel(stage));
    if (act.kind === 'backup') void at(act.afterMs, () => begin({ kind: 'backup', task: act.task }, stage));
    if (act.kind === 'failover-again')
      void at(act.afterMs, () => begin({ kind: 'failover', mode: 'recovery', style: act.style }, stage));
    if (act.kind === 'look') void at(act.afterMs, () => begin({ kind: 'look' }, stage));
  }
  trouble(plan.region ?? [], stage);
  void comeHome(plan, stage);
  if (stage.regions) void finishMoves(stage);
  void answerQuestions(plan, stage);
  void retryFailures(plan, stage);
  void stopFollowUp(plan, stage);
  for (const fault of plan.faults) {
    if (fault.kind === 'reopened') void reopen(fault.afterMs, stage);
    if (fault.kind === 'squatter' && plan.beginning.kind !== 'drill')
      void candidateOf(stage).then((name) => squat(fault.tagged, stage, name));
  }
  return begun;
}

/** Somebody who does not know of the recovery lets the application's role in again. */
async function reopen(afterMs: number, { site, story, witness }: Stage): Promise<void> {
  const role = site.configuration.database.applicationRoles[0]?.name ?? '';
  const [production] = site.databases;
  while (production?.content.roles.get(role)?.login !== false) await witness.changed();
  await site.sleep(afterMs);
  // Who opens by hand what is production no more, after the recovery, makes two that take writes: no recovery can prevent that.
  const hasMoved = witness.moves.length > 0;
  if (hasMoved || !production.running || production.content.roles.get(role)?.login) return;
  story.tell(`somebody lets ${role} log in to production again`);
  production.commit((content) => {
    content.role(role).login = true;
  });
}

/** A copy of production that somebody restored by hand, under the very name that the recovery will want. */
async function squat(tagged: boolean, { site, story }: Stage, name: string): Promise<void> {
  const { configuration } = site;
  const { environment, database, primary } = configuration;
  story.tell(`somebody restores a copy of their own, ${name}`);
  const tags = [
    { Key: 'stocker-dr:environment', Value: environment },
    { Key: 'stocker-dr:incident', Value: 'drill-20260101T000000Z-00000000' },
  ];
  await site
    .call('rds', 'RestoreDBInstanceToPointInTime', {
      SourceDBInstanceIdentifier: database.identifier,
      TargetDBInstanceIdentifier: name,
      UseLatestRestorableTime: true,
      DBSubnetGroupName: primary.databaseSubnetGroup,
      DBParameterGroupName: primary.databaseParameterGroup,
      VpcSecurityGroupIds: [primary.isolatedSecurityGroupId],
      CopyTagsToSnapshot: true,
      EnableCloudwatchLogsExports: ['postgresql'],
      Tags: tagged ? tags : [{ Key: 'owner', Value: 'somebody' }],
    })
    .catch((error: Error) => story.tell(`it could not: ${error.message}`));
}

/** The name that a recovery decides on, as soon as it is known. */
async function candidateOf({ witness }: Stage): Promise<string> {
  for (;;) {
    for (const { states } of witness.executions.values())
      for (const { name: state, output = '' } of states) {
        // The plan that is followed is the one after the approval.
        if (state !== 'Replan ended') continue;
        const name = /"candidate":"([^"]+)"/.exec(output)?.[1];
        if (name !== undefined) return name;
      }
    await witness.changed();
  }
}

/** Of a drill it is known before, for who names the request. */
async function squatBeforeDrill(tagged: boolean, stage: Stage, requestId: string): Promise<void> {
  const { site } = stage;
  const id = incidentId('drill', '2026-01-01T00:00:00Z', requestKey({ requestId }, ''));
  const settings = settingsOf(site.configuration);
  const name = candidateIdentifier(settings, site.configuration.database.identifier, id);
  await squat(tagged, stage, name);
  while ((await site.instance(name))?.DBInstanceStatus === 'creating') await site.sleep(30 * second);
}

async function begin(beginning: Beginning, stage: Stage, requestId?: string): Promise<void> {
  const { site, story } = stage;
  const { environment } = site.configuration;
  if (beginning.kind === 'disaster') return;
  if (beginning.kind === 'failover' || beginning.kind === 'region-lost')
    return beginRegion(beginning, stage, requestId);
  if (beginning.kind === 'scheduled-drill') {
    story.tell('the schedule of the drill fires');
    return site.cloud.fireSchedule(`${site.names.prefix}-database-drill`, site.configuration.primary.region);
  }
  if (beginning.kind === 'backup') {
    story.tell(`a person starts the backup machine: ${beginning.task}`);
    return start(site, { task: beginning.task }, 'backup');
  }
  if (beginning.kind === 'look') {
    story.tell('a person asks for a look at readiness');
    return start(site, { permissions: 'now' }, 'readiness');
  }
  if (beginning.kind === 'refused') return start(site, { mode: 'recovery', reason: 'simulated' }, beginning.machine);
  if (beginning.kind === 'cluster') {
    story.tell('nobody hears from the nodes of the cluster, and a person starts its recovery');
    cutNodesOff(site);
    await site.sleep(60 * second); // until Kubernetes says so
    return start(site, { mode: 'recovery', confirm: environment, reason: 'simulated' }, 'cluster-recovery');
  }
  if (beginning.kind === 'configuration') {
    const { mode } = beginning;
    await loseConfiguration(site, mode);
    story.tell(`somebody deleted configuration, and a person starts a ${mode}`);
    const confirm = mode === 'recovery' ? { confirm: environment } : {};
    return start(site, { mode, ...confirm, reason: 'simulated' }, 'configuration-recovery');
  }
  const named = requestId === undefined ? {} : { requestId };
  const request = { reason: 'simulated', restoreTo: await restoreTo(beginning.restoreTo, site), ...named };
  const input = beginning.kind === 'drill' ? request : { ...request, mode: 'recovery', confirm: environment };
  story.tell(`a person starts a ${beginning.kind}`);
  await start(site, input);
}

async function restoreTo(wish: RestoreWish, site: Site): Promise<unknown> {
  if (wish === 'latest') return wish;
  if (wish === 'minutes-ago') return new Date(site.world.clock.now() - 6 * 60_000).toISOString();
  const { DBSnapshots } = await site.call<{ DBSnapshots: { DBSnapshotIdentifier: string }[] }>(
    'rds',
    'DescribeDBSnapshots',
    { DBInstanceIdentifier: site.configuration.database.identifier },
  );
  return { snapshot: DBSnapshots[0]?.DBSnapshotIdentifier ?? 'none' };
}

async function cancel({ site, story, witness }: Stage): Promise<void> {
  const running = [...witness.executions.values()].find(({ status }) => status === 'RUNNING');
  if (running !== undefined) await stop(running, site, story);
}

async function stop({ arn, region }: Seen, site: Site, story: Stage['story']): Promise<void> {
  story.tell(`a person stops ${nameOf(arn)}`);
  await site.call('sfn', 'StopExecution', { executionArn: arn, cause: 'simulated' }, region);
}

/** The first drill that follows a recovery. */
async function stopFollowUp({ acts }: Plan, { site, story, witness }: Stage): Promise<void> {
  const act = acts.find(({ kind }) => kind === 'stop-follow-up');
  if (act?.kind !== 'stop-follow-up') return;
  const following = () => [...witness.executions.values()].find(({ arn }) => arn.includes(':follow-up-'));
  while (following() === undefined) await witness.changed();
  await site.sleep(act.afterMs);
  const drill = following();
  if (drill?.status === 'RUNNING') await stop(drill, site, story).catch(() => {});
}

/**
 * Whoever is asked answers once, as the plan says. Where a Region returns, its alarms ask for a database that is well: people
 * who look decline.
 */
async function answerQuestions({ acts, region }: Plan, { site, story, witness }: Stage): Promise<void> {
  const act = acts.find((each): each is Extract<Act, { kind: 'answer' }> => each.kind === 'answer');
  const answered = new Set<string>();
  for (;;) {
    await site.sleep(15 * second);
    for (const execution of witness.executions.values()) {
      if (!isAsking(execution) || answered.has(execution.arn)) continue;
      answered.add(execution.arn);
      const incident = incidentOf(execution);
      if (act === undefined || act.answer === 'nothing' || incident === undefined) continue;
      await site.sleep(act.afterMs);
      const isNeedless = region !== undefined && machineOf(execution.arn, site) === 'database-recovery';
      const answer = isNeedless ? 'decline' : act.answer;
      for (let time = 0; time < (act.twice ? 2 : 1); time++) {
        const message = await decide(site, incident, { ...act, answer }).catch(
          (error: Error) => `no answer: ${error.message}`,
        );
        story.tell(`a person says ${answer} to ${incident}: ${message}`);
      }
    }
  }
}

const isAsking = ({ status, states }: Seen) =>
  status === 'RUNNING' && states.findLast(({ name }) => !name.endsWith(' ended'))?.name === 'RequestApproval';

async function decide(site: Site, incident: string, act: Extract<Act, { kind: 'answer' }>): Promise<string> {
  const event = {
    requestContext: { authorizer: { iam: { userArn: 'arn:aws:iam::111122223333:user/simulated' } } },
    body: JSON.stringify({
      incident,
      decision: act.answer,
      reason: 'simulated',
      ...(act.latest && act.answer === 'approve' ? { restoreTo: 'latest' } : {}),
    }),
  };
  const input = {
    FunctionName: site.names.lambda('incident/decide-approval'),
    Payload: Buffer.from(JSON.stringify(event)),
  };
  const answer = await site.call<{ Payload: Uint8Array }>('lambda', 'Invoke', input, site.configuration.dr.region);
  const { statusCode, body, errorMessage } = JSON.parse(Buffer.from(answer.Payload).toString());
  return `${statusCode ?? 'failed'} ${String(body ?? errorMessage ?? '').slice(0, 160)}`;
}

/** A failed recovery is taken up again once. */
async function retryFailures({ acts }: Plan, { site, story, witness }: Stage): Promise<void> {
  const act = acts.find((each): each is Extract<Act, { kind: 'retry' }> => each.kind === 'retry');
  if (act === undefined) return;
  for (;;) {
    await site.sleep(30 * second);
    const failed = [...witness.executions.values()].find(isFailedRecovery);
    const incident = failed && incidentOf(failed);
    if (failed === undefined || incident === undefined) continue;
    await site.sleep(act.afterMs);
    story.tell(`a person takes up ${incident} again`);
    const { environment } = site.configuration;
    const request = { mode: 'recovery', confirm: environment, reason: 'simulated retry', incident };
    await start(site, { ...request, ...styleOf(failed) }, machineOf(failed.arn, site)).catch(() => {});
    return;
  }
}

/** A failover is taken up in its own style. */
const styleOf = ({ input: { style } }: Seen) => (style === undefined ? {} : { style });

/** One that a person may take up again. */
export const isFailedRecovery = (seen: Seen): boolean =>
  seen.status !== 'RUNNING' && seen.status !== 'Succeeded' && Boolean(incidentOf(seen)?.startsWith('recovery-'));

/** Strikes whatever is production now. */
async function strike(name: Disaster, { site, story, witness }: Stage): Promise<void> {
  const role = site.configuration.database.applicationRoles[0]?.name ?? '';
  const open = witness.accepting()[0];
  const standing = witness.standing().find(({ identifier }) => identifier === open);
  const server = standing && witness.serverOf(standing.port);
  if (server === undefined) return story.tell(`${name} finds no production that ${role} can use`);
  story.tell(`DISASTER ${name} strikes ${open}`);
  await disasters[name](server, site, open ?? '');
}

type Strike = (server: ModelledServer, site: Site, identifier: string) => Promise<void> | void;

const disasters: Readonly<Record<Disaster, Strike>> = {
  'drop-table': (server) => void server.commit((content) => content.dropped.add('stocker.order_line')),
  'bad-update': (server) =>
    void server.commit((content) => {
      content.inconsistent = true;
    }),
  'bad-migration': (server) => void server.commit((content) => content.altered.add('stocker.stock_movement')),
  'page-corruption': (server) => void server.content.pages.set('stocker.stock_movement', 'heap'),
  'index-corruption': (server) => void server.content.pages.set('stocker.stock_movement_pkey', 'index'),
  'instance-lost': (server) => server.lose(),
  async hiccup(server, site) {
    server.stop();
    await site.sleep(7 * 60_000);
    server.start();
  },
  async 'instance-deleted'(_server, site, identifier) {
    const change = { DBInstanceIdentifier: identifier, DeletionProtection: false, ApplyImmediately: true };
    await site.call('rds', 'ModifyDBInstance', change);
    const input = { DBInstanceIdentifier: identifier, SkipFinalSnapshot: true, DeleteAutomatedBackups: false };
    for (let tries = 0; tries < 20; tries++) {
      await site.sleep(15 * second);
      const done = await site.call('rds', 'DeleteDBInstance', input).catch(() => undefined);
      if (done !== undefined) return;
    }
    throw new SqlError('58000', `${identifier} could not be deleted`);
  },
};
