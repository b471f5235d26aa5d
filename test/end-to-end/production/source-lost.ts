/** Production dies: before anybody recovers it, and while it is being recovered. Its data come back, and one database at most takes writes. */
import { DeleteDBInstanceCommand, DescribeDBInstancesCommand, ModifyDBInstanceCommand } from '@aws-sdk/client-rds';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { invoke } from '../../../cli/clients.ts';
import type { ActiveDatabase } from '../../../core/incident/contracts.ts';
import { Production } from '../../support/recovery.ts';
import { type Ended, eventually } from '../../support/rehearsal.ts';
import { site } from '../site.ts';

describe('production', () => {
  let production: Production;

  beforeAll(async () => {
    await site.heedAlarms();
    await site.settled();
    production = new Production(site);
  });
  afterAll(async () => {
    await production?.stop();
  });

  /** kill -9 of the server and its backends; resolves once RDS has noticed. */
  async function kill(): Promise<void> {
    const { identifier: DBInstanceIdentifier = '' } = (await production.active()) ?? {};
    process.kill(-(site.cluster(DBInstanceIdentifier)?.pid ?? Number.NaN), 'SIGKILL');
    await eventually(`the failure of ${DBInstanceIdentifier}`, async () => {
      const { DBInstances = [] } = await site.installation.clients.rds.send(
        new DescribeDBInstancesCommand({ DBInstanceIdentifier }),
      );
      return DBInstances[0]?.DBInstanceStatus === 'failed';
    });
  }

  /** Another database is production, and takes the application's writes alone. */
  async function expectRecovered(ended: Ended, before: ActiveDatabase | undefined): Promise<void> {
    expect(ended).toMatchObject({ status: 'SUCCEEDED', cause: '' });
    await production.stopFollowUp(ended);
    const active = await production.active();
    expect(active?.epoch).toBe((before?.epoch ?? 0) + 1);
    expect(active?.identifier).not.toBe(before?.identifier);
    await production.expectOnlyWritesTo(active?.identifier ?? '');
    production.expectOneAtMost();
    expect(await site.incident(ended.incident)).toMatchObject({ status: 'closed' });
  }

  test('rings by several alarms, ten times each: one recovery asks, the others join it, and it brings production back', async () => {
    const before = await production.active();
    const earlier = site.notices.length;
    const customers = () =>
      site.notices.slice(earlier).filter(({ topicArn }) => topicArn.endsWith(site.names.customersTopic));
    await kill();
    const alarmName = site.names.alarm('database-heartbeat-missing');
    await eventually('the alarm', async () => (await site.alarms())[alarmName] === 'ALARM');
    const record = await eventually('a recovery', async () =>
      (await site.incidents()).find(({ status }) => status === 'open'),
    );
    const begun = { arn: record.incident.executionArn, incident: record.incident.id };
    await production.asked(begun);
    const executions = await site.executions();
    const ring = { 'detail-type': 'CloudWatch Alarm State Change', detail: { alarmName } };
    const triage = site.names.lambda('incident/triage-alarm');
    for (let time = 0; time < 10; time++)
      await invoke(site.installation.clients.lambda, triage, { ...ring, time: new Date().toISOString() });
    // Other alarms of the same loss may ring meanwhile.
    const decisions = (await site.decisions()).filter(({ alarm }) => alarm === alarmName).slice(-10);
    expect(decisions.map(({ verdict }) => verdict)).toEqual(Array(10).fill('join'));
    expect(await site.executions()).toEqual(executions);
    expect(customers()).toEqual([]);

    expect(await production.answer(begun, 'approve')).toMatchObject({ status: 200 });
    await expectRecovered(await production.end(begun), before);
    expect((await site.step(begun.incident, 'FenceSource'))?.facts).toMatchObject({ outcome: 'gone' });
    // Customers heard of the interruption once it was certain, and of its end.
    expect(customers().map(({ subject }) => subject)).toEqual([
      'STOCKER Pro: changes cannot be saved at the moment',
      'STOCKER Pro works again',
    ]);
  });

  test('dies in the middle of its fence: it is gone then, and its log is restored', async () => {
    const before = await production.active();
    site.inject({
      service: 'dynamodb',
      operation: 'PutItem',
      where: ({ Item }: { Item?: { sk?: { S?: string } } }) => Item?.sk?.S?.startsWith('compensation#') ?? false,
      times: 1,
      effect: { kind: 'hold', until: kill },
    });
    const ended = await production.recover();
    await expectRecovered(ended, before);
    expect((await site.step(ended.incident, 'FenceSource'))?.facts).toMatchObject({ outcome: 'gone' });
  });

  test.each([
    { moment: 'while its copy is restored', step: 'AwaitAvailable' },
    { moment: 'right before the cut-over', step: 'CutOver' },
  ])('dies $moment: it was fenced, and the copy becomes production', async ({ step }) => {
    const before = await production.active();
    const killed = site.atStep(step, kill);
    const ended = await production.recover();
    await expectRecovered(ended, before);
    await killed;
    expect((await site.step(ended.incident, 'FenceSource'))?.facts).toMatchObject({ outcome: 'fenced' });
  });

  test('is deleted: its automated backups outlive it, and its data come back from them', async () => {
    const before = await production.active();
    const { identifier: DBInstanceIdentifier = '' } = before ?? {};
    const { rds } = site.installation.clients;
    await site.restorable(Date.now() + 500);
    await rds.send(
      new ModifyDBInstanceCommand({ DBInstanceIdentifier, DeletionProtection: false, ApplyImmediately: true }),
    );
    await site.available(DBInstanceIdentifier);
    await rds.send(
      new DeleteDBInstanceCommand({ DBInstanceIdentifier, SkipFinalSnapshot: true, DeleteAutomatedBackups: false }),
    );
    await eventually(
      'the end of the instance',
      async () => !(await production.instances()).includes(DBInstanceIdentifier),
    );
    const ended = await production.recover();
    await expectRecovered(ended, before);
    expect((await site.step(ended.incident, 'FenceSource'))?.facts).toMatchObject({ outcome: 'gone' });
  });
});
