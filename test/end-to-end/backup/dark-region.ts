/** The other Region's restores when the first one is dark: from the day's copy, from replicated backups, and of what the cluster ran. */
import {
  DescribeDBInstanceAutomatedBackupsCommand,
  DescribeDBInstancesCommand,
  RestoreDBInstanceFromDBSnapshotCommand,
  RestoreDBInstanceToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import { beforeAll, describe, expect, test } from 'vitest';
import { AwsError } from '../../../local/kernel.ts';
import type { EksService } from '../../../local/services/eks/service.ts';
import { writeParameters } from '../../../workload/infrastructure/provision.ts';
import { eventually } from '../../support/rehearsal.ts';
import { clients, here, identifier, left, read, site, there } from './site.ts';

describe('with the primary Region dark', () => {
  /** Name and port of what was restored there. */
  let fromCopy: number;
  let fromBackups: number;
  let exported: string;

  beforeAll(async () => {
    const { run, outcomes } = left.daily;
    const state = outcomes.find(({ part }) => part === 'cluster-state');
    const documents = (state?.facts.documents ?? []) as { locations: string[] }[];
    exported = documents[0]?.locations.find((location) => location.includes(there)) ?? '';
    const backupsArn = await eventually('replicated backups that hold the last row', async () => {
      const { DBInstanceAutomatedBackups: [found] = [] } = await clients(there).rds.send(
        new DescribeDBInstanceAutomatedBackupsCommand({ DBInstanceIdentifier: identifier }),
      );
      const latest = found?.RestoreWindow?.LatestTime?.getTime() ?? 0;
      return latest > left.lastRowAt && found?.DBInstanceAutomatedBackupsArn;
    });
    goDark();
    const { databaseSubnetGroup, databaseParameterGroup } = site.installation.configuration.dr;
    const how = { DBSubnetGroupName: databaseSubnetGroup, DBParameterGroupName: databaseParameterGroup };
    const { rds } = clients(there);
    await rds.send(
      new RestoreDBInstanceFromDBSnapshotCommand({
        DBSnapshotIdentifier: run.snapshot,
        DBInstanceIdentifier: 'from-copy',
        ...how,
      }),
    );
    await rds.send(
      new RestoreDBInstanceToPointInTimeCommand({
        SourceDBInstanceAutomatedBackupsArn: backupsArn,
        TargetDBInstanceIdentifier: 'from-backups',
        UseLatestRestorableTime: true,
        ...how,
      }),
    );
    [fromCopy, fromBackups] = await Promise.all([portOf('from-copy'), portOf('from-backups')]);
  });

  /** Its databases die at once, and no service of it answers any more: every call from here on is the other Region's. */
  function goDark(): void {
    const { pid } = site.cluster(identifier) ?? {};
    site.inject({
      service: '*',
      operation: '*',
      where: (_, { region }) => region === here,
      effect: { kind: 'throw', error: new AwsError('ServiceUnavailable', `${here} does not answer`) },
    });
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  }

  const portOf = (DBInstanceIdentifier: string) =>
    eventually(`${DBInstanceIdentifier} available`, async () => {
      const { DBInstances: [instance] = [] } = await clients(there).rds.send(
        new DescribeDBInstancesCommand({ DBInstanceIdentifier }),
      );
      return instance?.DBInstanceStatus === 'available' && instance.Endpoint?.Port;
    });
  const marksIn = async (port: number) =>
    (
      await site.sql<{ name: string }>(
        `select name from stocker.tenant where name like '% the backup' order by id`,
        port,
      )
    ).map(({ name }) => name);

  test('nothing of it answers', async () => {
    await expect(clients(here).rds.send(new DescribeDBInstancesCommand({}))).rejects.toThrow('does not answer');
    await expect(marksIn(site.installation.database.port)).rejects.toThrow();
  });

  test('the copied snapshot restores there, with what was written before it', async () => {
    expect(await marksIn(fromCopy)).toEqual(['before the backup']);
  });

  test('the replicated backups restore there, with what was written after it', async () => {
    expect(await marksIn(fromBackups)).toEqual(['before the backup', 'after the backup']);
  });

  test('the exported manifests make the application there, on the database that was restored', async () => {
    const { configuration, connection, cloud } = site.installation;
    const { application, canary } = configuration;
    const address = { address: '127.0.0.1', port: fromBackups };
    await writeParameters(there, connection, {
      [application.databaseEndpointParameter]: JSON.stringify(address),
      [canary.databaseEndpointParameter]: 'none',
    });
    const text = await read(exported, there);
    const { items } = JSON.parse(text) as { items: { kind: string }[] };
    expect(items.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['Namespace', 'Deployment', 'Service']));
    expect(text).not.toContain('Secret"');
    const { cluster, namespace, name } = application.deployment;
    const kubernetes = (cloud.service('eks', there) as EksService).kubernetes(cluster);
    for (const item of items) await kubernetes.apply(item);
    // The deployment of the pilot light has a service already, and no pods: they come with what was applied.
    const url = await kubernetes.address(namespace, name);
    const answer = await eventually('an application that is ready', async () => {
      const found = await fetch(`${url}/health/ready`).catch(() => undefined);
      return found?.ok && found;
    });
    expect(await answer.json()).toMatchObject({ status: 'ready' });
  });
});
