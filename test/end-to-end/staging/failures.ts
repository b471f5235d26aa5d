/** What goes wrong: functions that die, answers that are lost, foreign copies, damage. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateDBInstanceCommand,
  DeleteDBInstanceCommand,
  DescribeDBInstancesCommand,
  RebootDBInstanceCommand,
} from '@aws-sdk/client-rds';
import { beforeAll, describe, expect, test } from 'vitest';
import { invoke } from '../../../cli/clients.ts';
import { AwsError } from '../../../local/kernel.ts';
import { eventually } from '../../support/rehearsal.ts';
import { site } from '../site.ts';

describe('what goes wrong in a drill', () => {
  beforeAll(() => site.settled());

  const isLease = ({ Item }: { Item?: { pk?: { S?: string } } }) => Item?.pk?.S === 'lease';
  const isCopy = (input: { DBInstanceIdentifier?: string }) =>
    input.DBInstanceIdentifier?.startsWith('dr-drill-') ?? false;
  const isEndpointOfCopy = ({ Value = '' }) => Value.includes('port');

  describe('a drill is green', () => {
    test('when functions die after they restored, deleted, took the lease: the retry adopts what was done', async () => {
      const crash = { kind: 'crash', when: 'after' } as const;
      site.inject({ service: 'dynamodb', operation: 'PutItem', where: isLease, times: 1, effect: crash });
      site.inject({ service: 'rds', operation: 'RestoreDBInstanceToPointInTime', times: 1, effect: crash });
      site.inject({ service: 'rds', operation: 'DeleteDBInstance', where: isCopy, times: 1, effect: crash });
      const cutOvers = site.observe('ssm', ['PutParameter'], isEndpointOfCopy);
      const ended = await site.drill();
      expect(ended).toMatchObject({ status: 'SUCCEEDED', cause: '' });
      const attempts = async (step: string) => (await site.step(ended.incident, step))?.attempts;
      expect(await attempts('TakeLease')).toBe(2);
      expect(await attempts('RestoreDatabase')).toBe(2);
      expect((await site.step(ended.incident, 'RestoreDatabase'))?.summary).toContain('already being restored');
      expect(await attempts('TearDown')).toBe(2);
      expect(cutOvers).toEqual(['PutParameter']);
      expect(await site.leftovers()).toEqual([]);
    });

    test('when answers are lost and calls are throttled; a message that cannot be sent stops nothing', async () => {
      const throttling = { kind: 'throw', error: new AwsError('Throttling', 'Rate exceeded') } as const;
      const lost = { kind: 'lose-answer' } as const;
      site.inject({ service: 'rds', operation: 'RestoreDBInstanceToPointInTime', times: 1, effect: lost });
      site.inject({ service: 'rds', operation: 'ModifyDBInstance', times: 1, effect: lost });
      site.inject({ service: 'rds', operation: 'DeleteDBInstance', where: isCopy, times: 1, effect: lost });
      site.inject({ service: 'rds', operation: 'DescribeDBInstances', times: 4, effect: throttling });
      site.inject({ service: 'dynamodb', operation: 'UpdateItem', times: 3, effect: lost });
      site.inject({ service: 'dynamodb', operation: 'PutItem', where: isLease, times: 1, effect: lost });
      site.inject({ service: 'sns', operation: 'Publish', effect: throttling });
      const ended = await site.drill();
      expect(ended).toMatchObject({ status: 'SUCCEEDED', cause: '' });
      const report = await site.report(ended.incident);
      expect(report.messages.map(({ failure }) => failure)).toEqual([
        expect.stringContaining('Rate exceeded'),
        expect.stringContaining('Rate exceeded'),
      ]);
      expect(await site.leftovers()).toEqual([]);
    });
  });

  describe('a copy', () => {
    test('that somebody else made under the drill’s name is neither used nor deleted', async () => {
      const { rds } = site.installation.clients;
      const requestId = 'name-taken';
      const DBInstanceIdentifier = site.candidateOfRequest(requestId);
      await rds.send(
        new CreateDBInstanceCommand({
          DBInstanceIdentifier,
          DBInstanceClass: 'db.t4g.micro',
          Engine: 'postgres',
          AllocatedStorage: 20,
          MasterUsername: 'somebody',
          MasterUserPassword: 'nobody-knows-it',
          BackupRetentionPeriod: 0,
        }),
      );
      const { DbiResourceId } = await site.available(DBInstanceIdentifier);
      const changes = site.observe('rds', ['ModifyDBInstance', 'DeleteDBInstance', 'AddTagsToResource']);
      const ended = await site.drill({ requestId });
      expect(ended).toMatchObject({ status: 'FAILED', error: 'CandidateNotOurs' });
      expect(ended.cause).toContain(DBInstanceIdentifier);
      const sweep = site.names.lambda('incident/clean-up-stopped');
      await invoke(site.installation.clients.lambda, sweep, { sweep: 'drills' });
      expect(changes).toEqual([]);
      expect(await site.available(DBInstanceIdentifier)).toMatchObject({ DbiResourceId });
      expect(await site.leftovers()).toEqual([`instance ${DBInstanceIdentifier}`]);
      await rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier, SkipFinalSnapshot: true }));
      await eventually('its end', async () => (await site.leftovers()).length === 0);
    });

    test('that could not be deleted is told of loudly, and deleted as soon as AWS lets it', async () => {
      const allow = site.inject({
        service: 'rds',
        operation: 'DeleteDBInstance',
        where: isCopy,
        effect: { kind: 'deny' },
      });
      site.inject({ service: 'rds', operation: 'ModifyDBInstance', times: 1, effect: { kind: 'deny' } });
      const ended = await site.drill();
      expect(ended).toMatchObject({ status: 'FAILED', error: expect.stringContaining('AccessDenied') });
      expect(await site.incident(ended.incident)).toMatchObject({ status: 'failed' });
      expect(await site.lease()).toBeUndefined();
      const told = () => site.notices.filter(({ text }) => text.includes(ended.incident)).map(({ text }) => text);
      expect(told().join()).toContain('THE COPY MAY STILL BE THERE: TearDown');
      // Control: it is there, because it may not be deleted.
      expect(await site.leftovers()).toContain(`instance ${site.candidateOf(ended.incident)}`);
      allow();
      await eventually('the end of the copy', async () => (await site.leftovers()).length === 0);
      await eventually('word of it', () => told().some((text) => text.includes('was left behind is being deleted')));
    });

    test('that a function makes after its execution was stopped is swept away', async () => {
      let arn = '';
      const { rds } = site.installation.clients;
      site.inject({
        service: 'rds',
        operation: 'RestoreDBInstanceToPointInTime',
        times: 1,
        effect: {
          kind: 'hold',
          until: async () => {
            await site.halt(arn);
            await eventually('a closed incident', async () => (await site.lease()) === undefined);
          },
        },
      });
      arn = await site.begin({ reason: 'to be stopped while the restore is under way' });
      const { incident } = await site.end(arn);
      const DBInstanceIdentifier = site.candidateOf(incident);
      // Control: it came to be after the clean-up had found nothing.
      await eventually('the copy', async () => {
        const { DBInstances = [] } = await rds.send(new DescribeDBInstancesCommand({}));
        return DBInstances.some((each) => each.DBInstanceIdentifier === DBInstanceIdentifier);
      });
      expect(await site.incident(incident)).toMatchObject({ status: 'failed' });
      await eventually('its end', async () => (await site.leftovers()).length === 0);
    });
  });

  describe('damage stops the drill before the cut-over', () => {
    test('a rotted page, an emptied table, a query that fails: each is named, and the canary sees nothing of it', async () => {
      const { rds } = site.installation.clients;
      const cutOvers = site.observe('ssm', ['PutParameter'], isEndpointOfCopy);
      const rot = site.atStep('PlanGate', async () => {
        const { DBInstances = [] } = await rds.send(new DescribeDBInstancesCommand({}));
        const DBInstanceIdentifier = DBInstances.find(isCopy)?.DBInstanceIdentifier ?? '';
        const port = (await site.available(DBInstanceIdentifier)).Endpoint?.Port;
        const [at] = await site.sql<{ path: string }>("select pg_relation_filepath('stocker.product') as path", port);
        await site.sql(
          "truncate stocker.customer_order cascade; update stocker.tenant set name = 'renamed' where id = 1",
          port,
        );
        // A page in memory hides the damage on disk.
        await rds.send(new RebootDBInstanceCommand({ DBInstanceIdentifier }));
        await site.available(DBInstanceIdentifier);
        flipByte(join(site.cluster(DBInstanceIdentifier)?.directory ?? '', at?.path ?? ''), 8000);
      });
      const [ended] = await Promise.all([site.drill(), rot]);
      expect(ended).toMatchObject({ status: 'FAILED', error: 'ValidationFailed' });
      const report = await site.report(ended.incident);
      const failed = report.validation.filter(({ verdict }) => verdict === 'failed');
      const said = failed.map(({ check, subject, reason }) => `${check} ${subject}: ${reason}`).join('\n');
      for (const finding of [/stocker\.product/, /stocker\.customer_order/, /the synthetic tenant exists/])
        expect(said).toMatch(finding);
      // Control: what is not damaged passes.
      const passed = report.validation.filter(({ verdict }) => verdict === 'passed');
      expect(passed.length).toBeGreaterThan(0);
      expect(await site.step(ended.incident, 'CutOver')).toBeUndefined();
      expect(cutOvers).toEqual([]);
      expect(await site.leftovers()).toEqual([]);
    });
  });

  function flipByte(file: string, offset: number): void {
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(offset) ^ 0xff, offset);
    writeFileSync(file, bytes);
  }
});
