/** The cluster on a whole installation under load: drilled beside production, then lost in three ways, each time back again. */
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { decide } from '../../cli/approval.ts';
import { clientsOf, invoke } from '../../cli/clients.ts';
import { readApproval } from '../../cli/records.ts';
import { clusterOf } from '../../cli/victim.ts';
import type { BackupRun, Outcome } from '../../core/backup/contracts.ts';
import type { IncidentRecord } from '../../core/incident/contracts.ts';
import { startClients, type Clients as Writers } from '../../workload/clients/clients.ts';
import { disasters } from '../../workload/disasters/index.ts';
import { eventually, Rehearsal } from '../support/rehearsal.ts';

let site: Rehearsal;
let writers: Writers;
beforeAll(async () => {
  const assembly = inject('assemblies').production;
  site = await Rehearsal.start({ environment: 'production', assembly, cluster: true });
  // A late beat on a busy machine is no subject here.
  await site.ignoreAlarms();
  const url = site.installation.apiUrl;
  writers = startClients({ url, writers: 1, pauseMs: 50, tenant: 2, products: [2, 4], warehouses: [1, 2] });
});
afterEach(() => site.clearFaults());
afterAll(async () => {
  await writers?.stop();
  await site?.stop();
});

const call = <O>(operation: string, input: object = {}) =>
  site.installation.cloud.call<O>('eks', operation, input, site.region);
const clusters = async () => (await call<{ clusters: string[] }>('ListClusters')).clusters;
const production = () => site.installation.configuration.cluster.primary.cluster;

async function strike(name: 'nodes-lost' | 'cluster-lost' | 'bad-deploy') {
  const { installation } = site;
  const cluster = clusterOf(installation.configuration, installation.cloud);
  await disasters[name]?.strike({ cluster } as never);
}

/** The incident of the cluster that is not one of these, once it is open. */
const incidentBeside = (known: readonly string[]) =>
  eventually('an incident of the cluster', async () =>
    (await site.incidents()).find(({ incident }) => incident.scenario === 'cluster' && !known.includes(incident.id)),
  );

const ended = (id: string) => site.over(id);

/** Approves as a person does; what was asked. */
async function approve(incident: string): Promise<string> {
  const { connection, configuration } = site.installation;
  const { dynamodb, lambda } = clientsOf(connection, configuration.dr.region);
  const question = await eventually('a question', () => readApproval(dynamodb, site.names.controlTable, incident));
  const decision = { incident, decision: 'approve', reason: 'seen and meant' } as const;
  expect(await decide(lambda, site.names.lambda('incident/decide-approval'), decision)).toMatchObject({ status: 200 });
  return question.plan.changes?.join('\n') ?? '';
}

/** A person starts the recovery: alarms start nothing within the cooldown of the one before. */
async function startByHand(reason: string): Promise<IncidentRecord> {
  const known = (await site.incidents()).map(({ incident }) => incident.id);
  const machine = site.names.stateMachineArn(site.region, 'cluster-recovery');
  await site.begin({ mode: 'recovery', confirm: 'production', reason }, machine);
  return incidentBeside(known);
}

const stepsOf = async (id: string) =>
  Object.fromEntries((await site.recordsOf(id)).steps.map(({ step, status }) => [step, status]));
const decisionsOn = async (alarm: string) =>
  (await site.decisions()).filter((each) => each.alarm === site.names.alarm(alarm));
async function clientsGoOn() {
  const begun = writers.ledger.entries.length;
  await eventually('further acknowledged writes', () => writers.ledger.entries.length > begun + 5);
}

describe('the quarterly drill', () => {
  it('rebuilds a cluster beside production, which goes on, and leaves nothing behind', async () => {
    await clientsGoOn();
    await site.installation.cloud.fireSchedule(site.names.schedule('cluster-drill'), site.region);
    const { incident } = await incidentBeside([]);
    expect(incident).toMatchObject({ mode: 'drill', target: `dr-drill-${production()}` });
    expect(await ended(incident.id)).toMatchObject({ status: 'closed' });
    expect(await stepsOf(incident.id)).toMatchObject({
      PlanRebuild: 'succeeded',
      Rebuild: 'succeeded',
      AwaitCluster: 'succeeded',
      ValidateApplication: 'succeeded',
      TearDown: 'succeeded',
    });
    expect(await clusters()).toEqual([production()]);
    expect(writers.ledger.failures).toEqual([]);
  });
});

describe('a deleted cluster', () => {
  it('is noticed by an alarm, rebuilt as a person approved, and clients go on at the same address', async () => {
    const known = (await site.incidents()).map(({ incident }) => incident.id);
    await strike('cluster-lost');
    const { incident } = await incidentBeside(known);
    expect(incident).toMatchObject({ mode: 'recovery', trigger: { kind: 'alarm' } });
    const asked = await approve(incident.id);
    expect(asked).toMatch(/create aws_eks_cluster.this/);
    expect(asked).toMatch(/overlay kubernetes\/overlays\/production is applied/);
    expect(await ended(incident.id)).toMatchObject({ status: 'closed', achieved: { rpoSeconds: 0 } });
    expect(await stepsOf(incident.id)).toMatchObject({ Rebuild: 'succeeded', ValidateApplication: 'succeeded' });
    expect(writers.ledger.failures.length).toBeGreaterThan(0);
    await clientsGoOn();
    expect(await site.lease()).toBeUndefined();
  });
});

/** As the nightly backup does, by the product's own function. */
async function exportCluster(): Promise<void> {
  const { connection, configuration } = site.installation;
  const { identifier, resourceId } = await site.active();
  const at = new Date().toISOString();
  const run: BackupRun = {
    id: `backup-${at.replace(/[-:]|\.\d+/g, '')}`,
    task: 'backup',
    executionArn: 'none',
    startedAt: at,
    region: site.region,
    otherRegion: configuration.dr.region,
    source: { identifier, resourceId },
    snapshot: 'none',
  };
  const { lambda } = clientsOf(connection, site.region);
  const { outcome } = (await invoke(lambda, site.names.lambda('backup/export-cluster'), { run })) as {
    outcome: Outcome;
  };
  expect(outcome).toMatchObject({ part: 'cluster-state', verdict: 'passed' });
}

describe('a bad deploy, while Git cannot be reached', () => {
  it('is not waited out for ever: what stands is given the manifests of the newest export', async () => {
    await exportCluster();
    const { cloud, configuration } = site.installation;
    const Name = configuration.cluster.repositoryParameter;
    await cloud.call('ssm', 'PutParameter', { Name, Value: 'file:///nowhere', Overwrite: true }, site.region);
    await strike('bad-deploy');
    const { incident } = await startByHand('a deployment cannot start');
    const asked = await approve(incident.id);
    expect(asked).toMatch(/Terraform: not run, for Git cannot be read/);
    expect(asked).toMatch(/the export of .* is applied/);
    expect(await ended(incident.id)).toMatchObject({ status: 'closed' });
    expect(await stepsOf(incident.id)).toMatchObject({ Rebuild: 'succeeded', AwaitCluster: 'succeeded' });
    await clientsGoOn();
    expect(await site.lease()).toBeUndefined();
  });
});

describe('lost nodes', () => {
  it('get others beside them once Kubernetes alone has not helped: nothing is rebuilt, and nobody is asked', async () => {
    const known = (await site.incidents()).map(({ incident }) => incident.id);
    const before = (await decisionsOn('cluster-nodes-lost')).length;
    await strike('nodes-lost');
    const decision = await eventually(
      'a decision on the lost nodes',
      async () => (await decisionsOn('cluster-nodes-lost'))[before],
    );
    expect(decision).toMatchObject({
      verdict: 'record',
      reasons: [expect.stringContaining('within the cooldown')],
    });
    expect((await site.incidents()).map(({ incident }) => incident.id)).toEqual(known);
    const { incident } = await startByHand('every node is lost');
    expect(await ended(incident.id)).toMatchObject({ status: 'closed' });
    const steps = await stepsOf(incident.id);
    expect(steps).toMatchObject({ HelpNodes: 'succeeded', AwaitHelped: 'succeeded', ValidateApplication: 'succeeded' });
    expect(steps).not.toHaveProperty('RequestApproval');
    expect(steps).not.toHaveProperty('Rebuild');
    await clientsGoOn();
  });
});
