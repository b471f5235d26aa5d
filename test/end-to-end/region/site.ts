/** Both Regions of production under load, and how moves between them are started, answered and watched. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { Client } from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { decide } from '../../../cli/approval.ts';
import { clientsOf } from '../../../cli/clients.ts';
import type { Installation } from '../../../cli/installation.ts';
import { readApproval } from '../../../cli/records.ts';
import {
  openedBy,
  type RegionMachine,
  regionIn,
  startMachine,
  type Watchers,
  watchFromOutside,
} from '../../../cli/region-rehearsal.ts';
import type { PrimaryLook, Signal } from '../../../core/region/contracts.ts';
import type { RdsService } from '../../../local/services/rds/index.ts';
import { eventually, Rehearsal } from '../../support/rehearsal.ts';

export let site: Rehearsal;
export let installation: Installation;
export let watchers: Watchers;
export let primary: string;
export let dr: string;

/** Makes `site` for the tests of the calling file, with a standby and with clients that write all the time. */
export function onOneInstallation(): void {
  beforeAll(async () => {
    site = await Rehearsal.start({
      environment: 'production',
      assembly: inject('assemblies').production,
      clockFactor: 20,
      standby: true,
    });
    ({ installation } = site);
    primary = installation.configuration.primary.region;
    dr = installation.configuration.dr.region;
    watchers = watchFromOutside(installation);
    // Scaled heartbeats are late on a busy machine: what is lost here is a Region.
    await site.ignoreAlarms();
    // At home again nobody searches the whole database in depth: in the DR Region it is, until the failback takes over.
    site.inject({
      service: 'sfn',
      operation: 'StartExecution',
      where: ({ name = '', stateMachineArn = '' }) =>
        name.startsWith('follow-up-') && stateMachineArn.includes(primary),
      effect: { kind: 'deny' },
    });
  });
  afterAll(async () => {
    await watchers?.prober.stop();
    await watchers?.writers.stop();
    await site?.stop();
  });
}

export const recovery = { mode: 'recovery', confirm: 'production', reason: 'end-to-end test' };

type Answering = (incident: string) => Promise<'approve' | 'decline' | 'silence'>;

/** As it ends; a question of its is answered meanwhile. */
export async function ended(executionArn: string, answer: Answering = async () => 'approve') {
  const control = clientsOf(installation.connection, dr);
  let incident: string | undefined;
  return eventually(`an end of ${executionArn}`, async () => {
    const { status = '', error = '', cause = '' } = await site.execution(executionArn, regionIn(executionArn));
    if (status !== 'RUNNING') return { status, error, cause, incident };
    incident ??= (await openedBy(installation, executionArn))?.incident.id;
    const approval = incident && (await readApproval(control.dynamodb, site.names.controlTable, incident));
    if (!approval || approval.executionArn !== executionArn || approval.decision) return false;
    const decision = await answer(approval.incidentId);
    if (decision !== 'silence') await decided(approval.incidentId, decision);
    return false;
  });
}

export const decided = (incident: string, decision: 'approve' | 'decline') =>
  decide(clientsOf(installation.connection, dr).lambda, site.names.lambda('incident/decide-approval'), {
    incident,
    decision,
    reason: `end-to-end test in ${installation.configuration.environment}`,
  });

/** What people were told of an incident last. */
export const lastWord = (incident = 'no incident') =>
  site.notices.map(({ text }) => text).findLast((text) => text.includes(incident)) ?? '';

export const start = async (machine: RegionMachine, request: object, answer?: Answering) =>
  ended(await startMachine(installation, machine, request), answer);

/** Runs a statement on the replica that follows production in the DR Region, as its superuser: by the server's own socket. */
export async function onReplica(statement: string): Promise<void> {
  const { rds } = clientsOf(installation.connection, dr);
  const { identifier } = await site.active();
  const [name] = (await site.instancesIn(rds)).filter((each) => each.endsWith(` of ${identifier}`));
  const service = installation.cloud.service('rds', dr) as RdsService;
  const directory = service.clusterOf(name?.split(' ')[0] ?? '')?.directory ?? '';
  const lines = readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n');
  const client = new Client({ host: lines[4] ?? '', port: Number(lines[3]), user: 'rdsadmin', database: 'postgres' });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

/** Resolves with the first look at the primary, made from now on, of which this holds. */
export async function looked(isWanted: (look: PrimaryLook) => boolean): Promise<void> {
  const since = new Date().toISOString();
  const { dynamodb } = clientsOf(installation.connection, dr);
  const command = new QueryCommand({
    TableName: site.names.incidentTable,
    KeyConditionExpression: 'pk = :pk AND sk >= :since',
    ExpressionAttributeValues: { ':pk': { S: 'primary-look' }, ':since': { S: since } },
    ConsistentRead: true,
  });
  await eventually('such a look at the primary', async () => {
    const { Items = [] } = await dynamodb.send(command);
    return Items.map((item) => unmarshall(item) as PrimaryLook).some(isWanted);
  });
}
export const stateOf = ({ signals }: PrimaryLook, wanted: Signal) =>
  signals.find(({ signal }) => signal === wanted)?.state;
