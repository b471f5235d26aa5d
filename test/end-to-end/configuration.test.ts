/** Configuration on a whole installation under load: deleted as somebody would, found, asked about, and back; or refused. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { decide } from '../../cli/approval.ts';
import { clientsOf } from '../../cli/clients.ts';
import { otherClusters } from '../../cli/commands/cluster-drill.ts';
import { drillSecrets, recordsOf } from '../../cli/commands/configuration-drill.ts';
import { debt } from '../../cli/commands/debt.ts';
import { checkConfiguration, compareWithGit } from '../../cli/configuration-rehearsal.ts';
import { exitCodes } from '../../cli/exit-codes.ts';
import { readApproval } from '../../cli/records.ts';
import { configurationOf } from '../../cli/victim.ts';
import type { IncidentRecord } from '../../core/incident/contracts.ts';
import { startClients, type Clients as Writers } from '../../workload/clients/clients.ts';
import type { Victim } from '../../workload/disasters/disaster.ts';
import { disasters } from '../../workload/disasters/index.ts';
import { commit, type DesiredState } from '../../workload/infrastructure/repository.ts';
import { eventually, Rehearsal } from '../support/rehearsal.ts';

let site: Rehearsal;
/** Who asks for the record, and who knows the address. */
let writers: { readonly byName: Writers; readonly byAddress: Writers };
beforeAll(async () => {
  site = await Rehearsal.start({ environment: 'production', assembly: inject('assemblies').production });
  // A late beat on a busy machine is no subject here.
  await site.ignoreAlarms();
  const { apiUrl, traffic } = site.installation;
  const stock = { writers: 1, pauseMs: 200, tenant: 2, products: [2, 4], warehouses: [1, 2] };
  writers = {
    byName: startClients({ ...stock, url: traffic.url, resolver: traffic.resolver() }),
    byAddress: startClients({ ...stock, url: apiUrl }),
  };
  await checkConfiguration(site.installation);
});
afterEach(() => site.clearFaults());
afterAll(async () => {
  await Promise.all([writers?.byName.stop(), writers?.byAddress.stop()]);
  await site?.stop();
});

const strike = (name: 'record-deleted' | 'secret-deleted' | 'workload-deleted') => {
  const { configuration } = site.installation;
  return disasters[name]?.strike({ configuration: configurationOf(configuration, site.installation) } as Victim);
};
const machine = () => site.names.stateMachineArn(site.region, 'configuration-recovery');
const known = async () => (await site.incidents()).map(({ incident }) => incident.id);
const incidentBeside = (before: readonly string[]) =>
  eventually('an incident of the configuration', async () =>
    (await site.incidents()).find(
      ({ incident }) => incident.scenario === 'configuration' && !before.includes(incident.id),
    ),
  );

/** A person starts it, where nothing else does. */
async function startByHand(more: object = {}): Promise<IncidentRecord> {
  const before = await known();
  await site.begin({ mode: 'recovery', confirm: 'production', reason: 'looked at by a person', ...more }, machine());
  return incidentBeside(before);
}
const ended = (id: string) => site.over(id);

/** Answers as a person does; what was asked. */
async function answer(incident: string, decision: 'approve' | 'decline'): Promise<string> {
  const { connection, configuration } = site.installation;
  const { dynamodb, lambda } = clientsOf(connection, configuration.dr.region);
  const question = await eventually('a question', () => readApproval(dynamodb, site.names.controlTable, incident));
  const given = { incident, decision, reason: 'seen and meant' };
  expect(await decide(lambda, site.names.lambda('incident/decide-approval'), given)).toMatchObject({ status: 200 });
  return question.plan.changes?.join('\n') ?? '';
}
const statusesOf = async (id: string) =>
  Object.fromEntries((await site.recordsOf(id)).steps.map(({ step, status }) => [step, status]));
const failureOf = async (id: string) => (await site.report(id)).failure?.name;

async function clientsGoOn({ ledger }: Writers): Promise<void> {
  const begun = ledger.entries.length;
  await eventually('further acknowledged writes', () => ledger.entries.length > begun + 5);
}

/** Somebody merges a change of the database's part of Terraform, and the pipeline deploys that commit. */
async function deployFromGit(message: string, change: (resources: DesiredState['resources']) => unknown[]) {
  const { cluster, backup } = site.installation.configuration;
  const url = (await site.parameter(cluster.repositoryParameter)) ?? '';
  const repository = { directory: url.replace('file://', ''), url, commit: '' };
  const file = join(repository.directory, 'terraform', cluster.primary.variables.replace('.tfvars', '.desired.json'));
  const state = JSON.parse(readFileSync(file, 'utf8')) as DesiredState;
  writeFileSync(file, JSON.stringify({ ...state, resources: change(state.resources) }));
  await setParameter(backup.commitParameter, commit(repository, message).commit);
}
const setParameter = (Name: string, Value: string) =>
  site.installation.cloud.call('ssm', 'PutParameter', { Name, Value, Overwrite: true }, site.region);
const isDatabase = ({ type }: { readonly type: string }) => type === 'aws_db_instance';

describe('a deleted record', () => {
  it('is told by CloudTrail, asked about, put back from the recorded zone, and clients find production again', async () => {
    const records = await recordsOf(site.installation);
    await clientsGoOn(writers.byName);
    const before = await known();
    await strike('record-deleted');
    const { incident } = await incidentBeside(before);
    expect(incident.trigger).toMatchObject({
      kind: 'event',
      name: expect.stringMatching(/^ChangeResourceRecordSets of api\.stocker-pro\.example\.com by arn:/),
    });
    const asked = await answer(incident.id, 'approve');
    expect(asked).toMatch(
      /record api\.stocker-pro\.example\.com SRV primary is absent.*comes back from the recorded zone/,
    );
    expect(await ended(incident.id)).toMatchObject({ status: 'closed', achieved: { rpoSeconds: 0 } });
    expect(await statusesOf(incident.id)).toMatchObject({
      RestoreResources: 'succeeded',
      JudgeRestored: 'succeeded',
      ValidateApplication: 'succeeded',
    });
    expect(await recordsOf(site.installation)).toEqual(records);
    await clientsGoOn(writers.byName);
    expect(writers.byName.ledger.failures.length).toBeGreaterThan(0);
    expect(writers.byAddress.ledger.failures).toEqual([]);
    expect(await site.lease()).toBeUndefined();
  });
});

describe('a deleted workload and a deleted secret', () => {
  it('are found by the nightly comparison, and both come back by one approval', async () => {
    const before = await known();
    await strike('secret-deleted');
    await strike('workload-deleted');
    // Within the cooldown of the recovery before, a change starts nothing: the night does not find nobody either.
    await compareWithGit(site.installation);
    const drift = await eventually('a decision on the drift', async () =>
      (await site.decisions()).find(({ alarm }) => alarm.endsWith('configuration-drift')),
    );
    expect(drift).toMatchObject({ verdict: 'record', reasons: [expect.stringContaining('within the cooldown')] });
    expect(await known()).toEqual(before);
    const { incident } = await startByHand();
    const asked = await answer(incident.id, 'approve');
    expect(asked).toMatch(/secret stocker-pro\/production\/database\/stocker-app is scheduled for deletion/);
    expect(asked).toMatch(/manifest service\/stocker-api is not as the overlay has it/);
    expect(await ended(incident.id)).toMatchObject({ status: 'closed' });
    expect(await statusesOf(incident.id)).toMatchObject({ Apply: 'succeeded', JudgeRestored: 'succeeded' });
    await clientsGoOn(writers.byAddress);
    expect(writers.byAddress.ledger.failures.length).toBeGreaterThan(0);
    const { database, primary, dr } = site.installation.configuration;
    const secret = { SecretId: database.applicationRoles[0]?.secretName };
    for (const { region } of [primary, dr])
      expect(await site.installation.cloud.call('secrets-manager', 'GetSecretValue', secret, region)).toBeDefined();
  });
});

describe('a drill', () => {
  it('loses and restores configuration of its own beside production, which goes on, and leaves nothing behind', async () => {
    const records = await recordsOf(site.installation);
    const failures = writers.byAddress.ledger.failures.length;
    const before = await known();
    const arn = await site.begin({ reason: 'end-to-end test' }, machine());
    const { id } = (await incidentBeside(before)).incident;
    // Five builds, and a cluster: longer than one wait may be on a busy machine.
    await eventually('what the drill lost to be back', () => site.step(id, 'JudgeRestored'));
    const { incident, status, error } = await site.end(arn);
    expect({ status, error }).toEqual({ status: 'SUCCEEDED', error: undefined });
    expect(await statusesOf(incident)).toMatchObject({
      MakeWorkload: 'succeeded',
      MakeDrill: 'succeeded',
      Apply: 'succeeded',
      JudgeRestored: 'succeeded',
      RemoveDrill: 'succeeded',
      TearDown: 'succeeded',
    });
    const found = (await site.step(incident, 'JudgeFindings'))?.facts.affected as { kind: string; name: string }[];
    expect(found.map(({ kind }) => kind).sort()).toEqual(['manifest', 'record', 'secret']);
    expect(await otherClusters(site.installation)).toEqual([]);
    expect(await drillSecrets(site.installation)).toEqual([]);
    expect(await recordsOf(site.installation)).toEqual(records);
    expect(writers.byAddress.ledger.failures).toHaveLength(failures);
    expect(await site.leftovers()).toEqual([]);
  });
});

describe('while Terraform owes a cut-over', () => {
  it('no recovery of configuration starts; the debt is closed by an import with an empty plan, and by nothing else', async () => {
    const { identifier, resourceId, region } = await site.active();
    const { configuration, cloud, connection } = site.installation;
    const owed = {
      ...{ pk: 'terraform-debt', sk: resourceId, resourceId, import: identifier, region, old: 'stocker-pro-before' },
      ...{ parameter: configuration.application.databaseEndpointParameter, incidentId: 'recovery-before' },
      since: new Date().toISOString(),
    };
    const Item = { ...marshall(owed), version: { N: '1' } };
    const table = { TableName: site.names.controlTable };
    await cloud.call('dynamodb', 'PutItem', { ...table, Item }, configuration.dr.region);
    const before = await known();
    const request = { mode: 'recovery', confirm: 'production', reason: 'looked at by a person' };
    const refused = await site.end(await site.begin(request, machine()));
    expect(refused).toMatchObject({
      status: 'FAILED',
      error: 'DebtOpen',
      cause: expect.stringContaining('debt close'),
    });
    expect(await known()).toEqual(before);

    vi.stubEnv('AWS_ENDPOINT_URL', cloud.endpoint);
    vi.stubEnv('AWS_ACCESS_KEY_ID', connection.credentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', connection.credentials.secretAccessKey);
    const close = { environment: 'production', region: undefined, close: true };
    await switchProtection(false);
    expect(await debt(close)).toBe(exitCodes.failed);
    await switchProtection(true);
    expect(await debt(close)).toBe(exitCodes.passed);
    expect(await debt({ ...close, close: false })).toBe(exitCodes.passed);
    vi.unstubAllEnvs();
  });
});

const switchProtection = (DeletionProtection: boolean) => {
  const { identifier: DBInstanceIdentifier } = site.installation.configuration.database;
  const input = { DBInstanceIdentifier, DeletionProtection, ApplyImmediately: true };
  return site.installation.cloud.call('rds', 'ModifyDBInstance', input, site.region);
};

describe('nothing is changed where', () => {
  const group = () => ({
    clusterName: site.installation.configuration.cluster.primary.cluster,
    nodegroupName: 'general',
  });
  const eks = <O>(operation: string, input: object) =>
    site.installation.cloud.call<O>('eks', operation, { ...group(), ...input }, site.region);
  const maximum = async () => {
    const { nodegroup } = await eks<{ nodegroup: { scalingConfig: { maxSize: number } } }>('DescribeNodegroup', {});
    return nodegroup.scalingConfig.maxSize;
  };
  const scaleTo = (maxSize: number) =>
    eks('UpdateNodegroupConfig', { scalingConfig: { minSize: 2, maxSize, desiredSize: 2 } });

  it('a person declines, and what Terraform cannot apply ends the recovery with its error', async () => {
    const asInGit = await maximum();
    await scaleTo(asInGit + 5);
    const declined = (await startByHand()).incident.id;
    expect(await answer(declined, 'decline')).toMatch(/update aws_eks_node_group\.general/);
    expect(await ended(declined)).toMatchObject({ status: 'failed' });
    expect(await failureOf(declined)).toBe('ApprovalDeclined');
    expect(await maximum()).toBe(asInGit + 5);

    const failing = (await startByHand()).incident.id;
    site.inject({ service: 'eks', operation: 'UpdateNodegroupConfig', effect: { kind: 'deny' } });
    await answer(failing, 'approve');
    expect(await ended(failing)).toMatchObject({ status: 'failed' });
    expect(await failureOf(failing)).toBe('TerraformFailed');
    expect(await maximum()).toBe(asInGit + 5);
    expect(await site.lease()).toBeUndefined();
    site.clearFaults();
    await scaleTo(asInGit);
  });

  it('Terraform would destroy the database, or Git cannot be read', async () => {
    await deployFromGit('the database goes', (resources) => resources.filter((each) => !isDatabase(each)));
    const destroying = (await startByHand()).incident.id;
    expect(await ended(destroying)).toMatchObject({ status: 'failed' });
    const { failure } = await site.report(destroying);
    expect(failure).toMatchObject({ name: 'PlanRefused', message: expect.stringContaining('delete aws_db_instance') });

    const { repositoryParameter } = site.installation.configuration.cluster;
    const url = (await site.parameter(repositoryParameter)) ?? '';
    await setParameter(repositoryParameter, 'file:///nowhere');
    const unread = (await startByHand()).incident.id;
    expect(await ended(unread)).toMatchObject({ status: 'failed' });
    expect(await failureOf(unread)).toBe('SourceUnreachable');
    await setParameter(repositoryParameter, url);
    await clientsGoOn(writers.byAddress);
  });
});
