/** What a rehearsal of a lost Region does to an installation on the embedded cloud, and sees of it from outside. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand, ListExecutionsCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { namesOf } from '../config/names.ts';
import type { IncidentRecord } from '../core/incident/contracts.ts';
import type { GuardRecord } from '../core/region/contracts.ts';
import { startClients, type Clients as Writers } from '../workload/clients/clients.ts';
import type { Prober } from '../workload/clients/prober.ts';
import { clientsOf, invoke } from './clients.ts';
import type { Installation } from './installation.ts';
import { probe } from './production.ts';
import { listGuards, listIncidents } from './records.ts';

export type RegionMachine = 'region-failover' | 'region-failback';

export interface Watchers {
  /** Clients that find the application by its name. */
  readonly writers: Writers;
  /** Writes to the databases of both Regions. */
  readonly prober: Prober;
}

export function watchFromOutside(installation: Installation): Watchers {
  const { traffic } = installation;
  const writers = startClients({
    url: traffic.url,
    resolver: traffic.resolver(),
    writers: 2,
    pauseMs: 80,
    tenant: 2,
    products: [2, 4, 6, 8, 10],
    warehouses: [1, 2, 3, 4],
  });
  return { writers, prober: probe(installation) };
}

/** Region in which a machine of the region area runs: the one that takes over. */
export const regionOf = ({ configuration }: Pick<Installation, 'configuration'>, machine: RegionMachine): string =>
  machine === 'region-failover' ? configuration.dr.region : configuration.primary.region;

export const arnsOf = async (installation: Installation, machine: RegionMachine): Promise<readonly string[]> => {
  const { configuration, connection } = installation;
  const region = regionOf(installation, machine);
  const stateMachineArn = namesOf(configuration).stateMachineArn(region, machine);
  const { executions = [] } = await clientsOf(connection, region).sfn.send(
    new ListExecutionsCommand({ stateMachineArn }),
  );
  return executions.map(({ executionArn = '' }) => executionArn);
};

/** As a person starts it. */
export async function startMachine(
  installation: Installation,
  machine: RegionMachine,
  request: object,
): Promise<string> {
  const region = regionOf(installation, machine);
  const { configuration, connection } = installation;
  const { executionArn = '' } = await clientsOf(connection, region).sfn.send(
    new StartExecutionCommand({
      stateMachineArn: namesOf(configuration).stateMachineArn(region, machine),
      input: JSON.stringify(request),
    }),
  );
  return executionArn;
}

/** The incident that an execution opened; undefined where it ended without one. */
export async function openedBy(
  { configuration, connection }: Installation,
  executionArn: string,
): Promise<IncidentRecord | undefined> {
  const { incidentTable } = namesOf(configuration);
  const { dynamodb, sfn } = clientsOf(connection, regionIn(executionArn));
  for (;;) {
    const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    const records = await listIncidents(dynamodb, incidentTable, 5);
    const record = records.find(({ incident }) => incident.executionArn === executionArn);
    if (record || status !== 'RUNNING') return record;
    await sleep(100);
  }
}

/** `arn:aws:states:<region>:…` */
export const regionIn = (executionArn: string): string => executionArn.split(':')[3] ?? '';

/** A standby is worth failing over to once production is backed up, watched, and readiness has been looked at. */
export async function makeReady({ configuration, connection, clients }: Installation): Promise<void> {
  const names = namesOf(configuration);
  const look = names.lambda('database/look-for-damage');
  for (const _ of ['baseline', 'bound']) await invoke(clients.lambda, look, {});
  for (const [region, machine, input] of [
    [configuration.primary.region, 'backup', {}],
    [configuration.dr.region, 'readiness', { permissions: 'now' }],
  ] as const) {
    const { sfn } = clientsOf(connection, region);
    const { executionArn } = await sfn.send(
      new StartExecutionCommand({
        stateMachineArn: names.stateMachineArn(region, machine),
        input: JSON.stringify(input),
      }),
    );
    for (;;) {
      const { status, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
      if (status === 'SUCCEEDED') break;
      if (status !== 'RUNNING') throw new Error(`${machine} in ${region} ${status}: ${cause}`);
      await sleep(100);
    }
  }
}

/** What the guard met of this database; undefined where it did not have to act within the time. */
export async function guarded(
  { configuration, connection }: Installation,
  since: number,
  limitMs: number,
): Promise<GuardRecord | undefined> {
  const { dynamodb } = clientsOf(connection, configuration.dr.region);
  for (const until = performance.now() + limitMs; performance.now() < until; await sleep(100)) {
    const guards = await listGuards(dynamodb, namesOf(configuration).controlTable);
    const found = guards.find(({ fencedAt }) => Date.parse(fencedAt) >= since);
    if (found) return found;
  }
  return undefined;
}
