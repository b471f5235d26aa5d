/** The DR Region that stands by, and the DNS that leads to either Region: only where a plan is about Regions, for it costs. */

import { marshall } from '@aws-sdk/util-dynamodb';
import { planOf } from '../../cli/installation.ts';
import { recordVersion } from '../../core/incident/contracts.ts';
import { checks } from '../../core/readiness/checks/index.ts';
import type { ReadinessRecord, ReadinessRun } from '../../core/readiness/contracts.ts';
import type { Route53Service } from '../../local/services/route53/index.ts';
import { changeOf, replicaOf } from '../../workload/infrastructure/standby.ts';
import { recordsOf, type ZonePlan } from '../../workload/infrastructure/zone.ts';
import { modelBuild } from './builds.ts';
import type { Site } from './site.ts';

const second = 1000;

/** As Terraform makes it: a read replica with backups of its own, so that drills can make one of it. */
export async function makeReplica(site: Site): Promise<void> {
  const { configuration } = site;
  const { region } = configuration.dr;
  const plan = planOf(configuration);
  const { replicaIdentifier: DBInstanceIdentifier } = plan.database;
  const isReady = async () => {
    const found = (await site.instances(region)).find((each) => each.DBInstanceIdentifier === DBInstanceIdentifier);
    return found?.DBInstanceStatus === 'available' && found.PendingModifiedValues?.BackupRetentionPeriod === undefined;
  };
  await site.call('rds', 'CreateDBInstanceReadReplica', replicaOf(plan), region);
  while (!(await isReady())) await site.sleep(30 * second);
  await site.call('rds', 'ModifyDBInstance', changeOf(plan), region);
  while (!(await isReady())) await site.sleep(30 * second);
  await site.call('rds', 'RebootDBInstance', { DBInstanceIdentifier }, region);
  while (!(await isReady())) await site.sleep(30 * second);
}

/** As the nightly backup begins it, where no replica stands by. */
export async function replicateBackups(site: Site): Promise<void> {
  const { configuration } = site;
  const { region } = configuration.dr;
  const source = await site.instance(configuration.database.identifier);
  const input = {
    SourceDBInstanceArn: source?.DBInstanceArn,
    BackupRetentionPeriod: configuration.objectives.automatedBackupRetentionDays,
    KmsKeyId: configuration.dr.backupKeyAlias,
  };
  await site.call('rds', 'StartDBInstanceAutomatedBackupsReplication', input, region);
  type Found = { readonly DBInstanceAutomatedBackups?: readonly { readonly Status?: string }[] };
  const isReplicating = async () =>
    (await site.call<Found>('rds', 'DescribeDBInstanceAutomatedBackups', {}, region)).DBInstanceAutomatedBackups?.some(
      ({ Status }) => Status === 'replicating',
    );
  while (!(await isReplicating())) await site.sleep(30 * second);
}

/** Base URLs of the application and its canary, by Region. */
export interface Urls {
  readonly application: string;
  readonly canary: string;
}

/** Terraform's part after the deployment, as docs/deploy.md gives it: records that follow the health checks of the stack. */
export async function leadTraffic(site: Site, here: Urls, there: Urls): Promise<void> {
  const { configuration, cloud } = site;
  const { traffic, primary, dr, region } = configuration;
  const outputs = cloud.stacks().find((stack) => stack.region === dr.region)?.outputs ?? {};
  const shifted = (name: string, urls: readonly [string, string], output: string) => ({
    name,
    primary: traffic.primaryRecordName,
    secondary: traffic.drRecordName,
    ports: { primary: portOf(urls[0]), secondary: portOf(urls[1]) },
    healthCheckId: String(outputs[output]),
  });
  const plan: ZonePlan = {
    name: traffic.hostedZoneName,
    ttlSeconds: traffic.ttlSeconds,
    fixed: [
      { name: traffic.primaryRecordName, port: portOf(here.application) },
      { name: traffic.drRecordName, port: portOf(there.application) },
    ],
    shifted: [
      shifted(traffic.recordName, [here.application, there.application], 'LatchHealthCheck'),
      shifted(traffic.drillRecordName, [here.canary, there.canary], 'DrillLatchHealthCheck'),
    ],
  };
  modelBuild(site, 'follow', { output: {} });
  const made = await site.call<{ HostedZone: { Id: string } }>('route-53', 'CreateHostedZone', {
    Name: plan.name,
    CallerReference: 'terraform',
  });
  const Changes = recordsOf(plan).map((ResourceRecordSet) => ({ Action: 'CREATE', ResourceRecordSet }));
  const change = { HostedZoneId: made.HostedZone.Id, ChangeBatch: { Changes } };
  await site.call('route-53', 'ChangeResourceRecordSets', change);
  const servers = JSON.stringify({ authoritative: [cloud.nameServer], resolvers: [cloud.nameServer] });
  for (const [own, peer] of [
    [primary.region, there.application],
    [dr.region, here.application],
  ] as const) {
    await site.parameter(traffic.nameServersParameter, servers, own);
    await site.parameter(region.peerUrlParameter, peer, own);
  }
}

const portOf = (url: string) => Number(new URL(url).port);

/** What readiness last said: that all is ready, or what a plan has it say. */
export type Said = 'ready' | 'nothing' | 'stale' | 'not-ready';

/**
 * As the machine leaves it: with what production's Region knows of it copied, and without its other looks. The simulation has
 * runs of their own for those, and a failover only reads.
 */
export async function keepReadiness(site: Site, says: Said): Promise<void> {
  const { configuration, names } = site;
  const { dr, primary, database } = configuration;
  const age = says === 'stale' ? 3 * 3600 * second : 0;
  const at = new Date(site.world.clock.now() - age).toISOString();
  const instance = await site.instance(database.identifier);
  const run: ReadinessRun = {
    id: 'readiness-simulated',
    executionArn: 'simulated',
    startedAt: at,
    region: dr.region,
    activeRegion: primary.region,
    database: { identifier: database.identifier, resourceId: instance?.DbiResourceId ?? '' },
    permissions: 'when-due',
  };
  await site.invoke('readiness/look-at-records', { run, step: 'LookAtRecords' }, dr.region);
  if (says === 'nothing') return;
  const record: ReadinessRecord = {
    version: recordVersion,
    run,
    at,
    verdict: says === 'not-ready' ? says : 'ready',
    checks: checks.map(({ name, dependsOn, scenarios }) => ({
      check: name,
      verdict: says === 'not-ready' && name === 'secrets-standby' ? 'not-ready' : 'ready',
      reason: 'simulated',
      seenAt: at,
      evidence: {},
      dependsOn,
      scenarios: [...scenarios],
      runbook: 'docs/runbooks/readiness.md',
    })),
    scenarios: [],
  };
  const Item = marshall({ ...record, pk: 'readiness', sk: at });
  await site.call('dynamodb', 'PutItem', { TableName: names.incidentTable, Item }, dr.region);
}

/** What DNS says of a name now: the name that it leads to, and the port there. */
export interface Lead {
  readonly target: string;
  readonly port: number;
  readonly ttlSeconds: number;
}

export function leadOf({ cloud, configuration }: Site, name: string): Lead | undefined {
  const service = cloud.service('route-53', configuration.dr.region) as Route53Service;
  const record = service.answer(name, 'SRV').answers.find(({ type }) => type === 'SRV');
  if (record === undefined) return undefined;
  const { target, port } = record.data as { target: string; port: number };
  return { target: target.replace(/\.$/, ''), port, ttlSeconds: record.ttl };
}

/** How a client finds the application: it keeps an answer for as long as its TTL allows, no longer. */
export class Finder {
  readonly #site: Site;
  readonly #name: string;
  #kept: { readonly port: number; readonly until: number } | undefined;

  constructor(site: Site, name: string) {
    this.#site = site;
    this.#name = name;
  }

  /** Undefined where the name leads nowhere. */
  port = (): number | undefined => {
    const now = this.#site.world.clock.now();
    if (this.#kept === undefined || this.#kept.until <= now) {
      const found = leadOf(this.#site, this.#name);
      this.#kept = found && { port: found.port, until: now + found.ttlSeconds * second };
    }
    return this.#kept?.port;
  };
}
