/** What must be true when everything is over, by the cloud's own state: design.md's invariants, but for those that the witness sees as they happen. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Sns } from '../../local/services/sns/index.ts';
import type { Acknowledged } from './load.ts';
import type { Instance, Site } from './site.ts';
import { nameOf, type Seen, type Witness } from './witness.ts';

/** What the cloud held before anything happened. */
export interface Before {
  readonly production: Instance | undefined;
  readonly snapshots: readonly string[];
}

export interface After {
  readonly before: Before;
  readonly ledger: readonly Acknowledged[];
  /** What struck production itself, if anything did: it may then be gone, and need not take writes. */
  readonly disaster: string | undefined;
  /** Whether messages could not be sent: then it is enough that they are on record. */
  readonly isMute: boolean;
  /** Whether it was about Regions, which have losses of their own. */
  readonly isAboutRegions: boolean;
}

type Record_ = Readonly<Record<string, unknown>>;

export async function remember(site: Site): Promise<Before> {
  return {
    production: await site.instance(site.configuration.database.identifier),
    snapshots: await snapshotsOf(site),
  };
}

async function snapshotsOf(site: Site, region?: string): Promise<string[]> {
  const { DBSnapshots } = await site.call<{ DBSnapshots: { DBSnapshotIdentifier: string }[] }>(
    'rds',
    'DescribeDBSnapshots',
    {},
    region,
  );
  return DBSnapshots.map(({ DBSnapshotIdentifier }) => DBSnapshotIdentifier);
}

export async function judge(site: Site, witness: Witness, after: After): Promise<void> {
  const incidents = await incidentRecords(site);
  await everythingHasEnded(site, witness, incidents);
  await peopleWereTold(site, witness, incidents, after);
  await nothingElseChanged(site, witness, after);
  oneAtATime(witness);
  productionIsOpen(witness, after);
  if (!after.isAboutRegions) await lossesAreTold(witness, incidents, after);
  unknownNeverPassed(witness);
  await backupsAreWhatTheySay(site, witness, after);
  await readinessIsWhatItSays(site, witness);
  await noSecretIsTold(site, witness);
}

/** Whether something is left that a sweep has yet to find; `disaster` is what struck production, if anything did. */
export async function isUntidy(site: Site, witness: Witness, disaster: string | undefined): Promise<boolean> {
  const incidents = await incidentRecords(site);
  const control = await controlRecords(site);
  const { drillPrefix } = site.configuration.database;
  return (
    incidents.some(({ status }) => status === 'open') ||
    control.some(({ pk, on }) => pk === 'lease' || (pk === 'latch#drill-traffic' && on === true)) ||
    (witness.accepting().length !== 1 && !isLost(witness, disaster)) ||
    witness.standing().some(({ identifier }) => identifier.startsWith(drillPrefix) && witness.isOurs(identifier)) ||
    [...witness.executions.values()].some(({ status }) => status === 'RUNNING')
  );
}

/** Every incident record of both Regions. */
export const incidentRecords = (site: Site): Promise<Record_[]> => recordsWhere(site, 'sk', 'incident');

/** What both Regions' incident tables hold under that key; read apart from all the steps of all incidents. */
async function recordsWhere(site: Site, key: 'pk' | 'sk', value: string): Promise<Record_[]> {
  const { regions } = site.cloud;
  const items = await Promise.all(regions.map((region) => scan(site, site.names.incidentTable, region)));
  return items
    .flat()
    .filter((item) => item[key]?.S === value)
    .map((item) => unmarshall(item));
}

const controlRecords = async (site: Site): Promise<Record_[]> =>
  (await scan(site, site.names.controlTable, site.configuration.dr.region)).map((item) => unmarshall(item));

type Item = Readonly<Record<string, AttributeValue>>;

async function scan(site: Site, TableName: string, region: string): Promise<readonly Item[]> {
  const { Items = [] } = await site.call<{ Items?: readonly Item[] }>('dynamodb', 'Scan', { TableName }, region);
  return Items;
}

const idOf = (record: Record_): string => (record.incident as { id: string }).id;

/** Invariant 5, first half. */
async function everythingHasEnded(site: Site, witness: Witness, incidents: readonly Record_[]): Promise<void> {
  for (const { arn, status } of witness.executions.values())
    if (status === 'RUNNING') witness.violate(5, `${nameOf(arn)} still runs`);
  for (const record of incidents)
    if (record.status === 'open') witness.violate(5, `incident ${idOf(record)} is still open`);
  const control = await controlRecords(site);
  const lease = control.find(({ pk }) => pk === 'lease');
  if (lease !== undefined) witness.violate(5, `the lease is still held by ${lease.incidentId}`);
  const { drillPrefix } = site.configuration.database;
  for (const { identifier } of witness.standing())
    if (identifier.startsWith(drillPrefix) && witness.isOurs(identifier))
      witness.violate(5, `${identifier} was left behind`);
}

/** Invariant 5, second half. */
async function peopleWereTold(
  site: Site,
  witness: Witness,
  incidents: readonly Record_[],
  { isMute }: After,
): Promise<void> {
  const mails = site.cloud.regions.flatMap((region) => [...(site.cloud.service('sns', region) as Sns).mailbox()]);
  for (const record of incidents) {
    const id = idOf(record);
    const closedAt = Date.parse(String(record.closedAt ?? ''));
    // Regions' clocks differ by seconds; nothing is said of an incident long before its end but what is going on.
    const told = mails.some(({ subject, body, at }) => (subject + body).includes(id) && at > closedAt - 30_000);
    if (!told && !isMute) witness.violate(5, `nobody was told how ${id} ended`);
  }
}

/** Invariant 4. */
async function nothingElseChanged(site: Site, witness: Witness, { before, disaster }: After): Promise<void> {
  const { production } = before;
  const now = await site.instance(production?.DBInstanceIdentifier ?? '');
  const mayBeGone = disaster === 'instance-deleted';
  if (now === undefined && !mayBeGone) witness.violate(4, `${production?.DBInstanceIdentifier} is gone`);
  if (now !== undefined && !mayBeGone)
    for (const field of ['DbiResourceId', 'DeletionProtection', 'VpcSecurityGroups', 'TagList'] as const)
      if (JSON.stringify(now[field]) !== JSON.stringify(production?.[field]))
        witness.violate(4, `${field} of ${now.DBInstanceIdentifier} was changed`);
  if (disaster === 'instance-deleted') return;
  const left = await snapshotsOf(site);
  for (const name of before.snapshots) if (!left.includes(name)) witness.violate(4, `snapshot ${name} is gone`);
}

/** Invariant 6: two recoveries never work side by side. */
function oneAtATime(witness: Witness): void {
  const work = [...witness.executions.values()].flatMap((seen) => {
    const from = seen.states.find(({ name }) => name === 'OpenIncident')?.at;
    // The lease is given back by CloseIncident; what comes after it starts the drill that follows.
    const closed = seen.states.find(({ name }) => name === 'CloseIncident ended')?.at;
    const until = closed ?? seen.endedAt ?? Number.POSITIVE_INFINITY;
    return from === undefined ? [] : [{ arn: seen.arn, from, until }];
  });
  for (const [index, one] of work.entries())
    for (const other of work.slice(index + 1))
      if (one.from < other.until && other.from < one.until)
        witness.violate(6, `${nameOf(one.arn)} and ${nameOf(other.arn)} worked at the same time`);
}

/** Whether production is gone and no recovery has brought it back: nobody can open it again. */
const isLost = (witness: Witness, disaster: string | undefined): boolean =>
  (disaster === 'instance-lost' || disaster === 'instance-deleted') &&
  witness.moves.length === 0 &&
  witness.accepting().length === 0;

/** A recovery that is over leaves one database open: the new one, or the old one where it lives. */
function productionIsOpen(witness: Witness, { disaster }: After): void {
  const accepting = witness.accepting();
  if (accepting.length > 1) witness.violate(1, `${accepting.join(' and ')} take writes`);
  if (accepting.length === 0 && !isLost(witness, disaster))
    witness.violate(5, 'no database takes the application’s writes');
}

/** Invariant 3. */
async function lossesAreTold(witness: Witness, incidents: readonly Record_[], { ledger }: After): Promise<void> {
  const [open] = witness.accepting();
  const server = witness.serverOf(witness.standing().find(({ identifier }) => identifier === open)?.port);
  if (server === undefined) return;
  const present = new Set(server.content.movements.map(({ id, at }) => `${id} ${Math.floor(at / 1000)}`));
  const lost = ledger.filter(({ id, sentAt }) => !present.has(`${id} ${sentAt}`));
  if (lost.length === 0) return;
  const recoveries = incidents.flatMap(({ achieved, incident, closedAt }) => {
    const { mode, detectedAt } = incident as { mode: string; detectedAt: string };
    const { rpoSeconds } = achieved as { rpoSeconds?: number };
    const told = { detectedAt: Date.parse(detectedAt), closedAt: Date.parse(String(closedAt)), rpoSeconds };
    return mode === 'recovery' && rpoSeconds !== undefined ? [told] : [];
  });
  if (recoveries.length === 0)
    return witness.violate(3, `${lost.length} acknowledged writes are lost, and no incident says how far back`);
  for (const { sentAt } of lost) {
    // One that had closed before lost nothing of it. Clocks of two Regions differ by seconds.
    const after = recoveries.filter(({ closedAt }) => !(closedAt < sentAt));
    if (after.some(({ detectedAt, rpoSeconds = 0 }) => (detectedAt - sentAt) / 1000 <= rpoSeconds + 3)) continue;
    const told = after.map(
      ({ detectedAt, rpoSeconds }) => `${rpoSeconds} s before ${new Date(detectedAt).toISOString()}`,
    );
    const when = new Date(sentAt).toISOString();
    return witness.violate(3, `a write of ${when} is lost; ${told.join(' and ') || 'nothing'} was reported`);
  }
}

/** Invariant 8: what could not be checked is not passed. */
function unknownNeverPassed(witness: Witness): void {
  for (const { arn, states, input } of witness.executions.values()) {
    if (input.waiver !== undefined) continue;
    const unknown = states.some(({ name }) => name === 'GateUnknown');
    if (unknown && states.some(({ name }) => name === 'CutOver'))
      witness.violate(8, `${nameOf(arn)} cut over although a piece of its gate was unknown`);
  }
}

/** Invariants 8 and 5: a backup that is said to be good is in both Regions, and whatever became of one, people know. */
async function backupsAreWhatTheySay(site: Site, witness: Witness, { isMute }: After): Promise<void> {
  const regions = site.cloud.regions;
  const held = await Promise.all(regions.map((region) => snapshotsOf(site, region)));
  const mails = regions.flatMap((region) => [...(site.cloud.service('sns', region) as Sns).mailbox()]);
  for (const { verdict, run } of await recordsWhere(site, 'pk', 'backup')) {
    const { id, task, snapshot } = run as { id: string; task: string; snapshot: string };
    if (verdict === 'succeeded' && task === 'backup' && !held.every((names) => names.includes(snapshot)))
      witness.violate(8, `${id} succeeded, and ${snapshot} is not in both Regions`);
    if (!isMute && !mails.some(({ subject }) => subject.includes(id)))
      witness.violate(5, `nobody was told what became of ${id}`);
  }
}

/** Invariant 8: what a look could not see is unknown, and never ready; a run that ended well is on record. */
async function readinessIsWhatItSays(site: Site, witness: Witness): Promise<void> {
  const records = await recordsWhere(site, 'pk', 'readiness');
  for (const { arn, status, states } of witness.executions.values()) {
    if (!states.some(({ name }) => name === 'AcceptReadiness')) continue;
    const record = records.find(({ run }) => (run as { executionArn: string }).executionArn === arn);
    const looked = states.some(({ name }) => name === 'ReportReadiness ended');
    if (status === 'Succeeded' && looked && record === undefined)
      witness.violate(8, `${nameOf(arn)} ended well and is not on record`);
    const silent = states.find(({ name }) => name.endsWith('Silent'))?.name;
    const checks = (record?.checks ?? []) as { verdict: string; reason: string }[];
    const unknown = checks.filter(({ verdict, reason }) => verdict === 'unknown' && /look at .+ failed/.test(reason));
    if (silent !== undefined && record !== undefined && (record.verdict === 'ready' || unknown.length === 0))
      witness.violate(8, `${nameOf(arn)} came to ${silent}, and no check says that it is unknown for that`);
  }
}

/** Invariant 7. */
async function noSecretIsTold(site: Site, witness: Witness): Promise<void> {
  const secrets = await passwordsOf(site);
  const told: [string, string][] = [...witness.executions.values()].map((seen): [string, string] => [
    `history of ${nameOf(seen.arn)}`,
    historyText(seen),
  ]);
  for (const region of site.cloud.regions) {
    const mails = (site.cloud.service('sns', region) as Sns).mailbox();
    told.push([`mail in ${region}`, mails.map(({ subject, body }) => subject + body).join('\n')]);
    told.push([`incidents in ${region}`, JSON.stringify(await scan(site, site.names.incidentTable, region))]);
  }
  for (const [where, text] of told)
    for (const secret of secrets) if (text.includes(secret)) witness.violate(7, `a password is in the ${where}`);
}

const historyText = ({ input, states }: Seen) =>
  JSON.stringify(input) + states.map(({ output = '' }) => output).join('');

async function passwordsOf(site: Site): Promise<string[]> {
  const { heartbeatRole, sentinelRole } = site.configuration.database;
  const own = await Promise.all(
    [heartbeatRole, sentinelRole].map(async ({ secretName }) => {
      const input = { SecretId: secretName };
      const { SecretString } = await site.call<{ SecretString: string }>('secrets-manager', 'GetSecretValue', input);
      return (JSON.parse(SecretString) as { password: string }).password;
    }),
  );
  return [...own, ...Object.values(site.passwords)];
}
