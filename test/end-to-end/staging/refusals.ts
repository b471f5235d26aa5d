/** What must not go through: bad input, missing permissions, a drill that is stopped half-way. */
import { GetRolePolicyCommand, IAMClient, ListRolePoliciesCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import {
  CreateDBInstanceCommand,
  CreateDBSnapshotCommand,
  DeleteDBInstanceCommand,
  DescribeDBSnapshotsCommand,
} from '@aws-sdk/client-rds';
import { DescribeStateMachineCommand, UpdateStateMachineCommand } from '@aws-sdk/client-sfn';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../support/rehearsal.ts';
import { site } from '../site.ts';

describe('what must not go through', () => {
  describe('bad input is refused before anything is touched', () => {
    const other = 'somebody-elses';

    beforeAll(async () => {
      const { rds } = site.installation.clients;
      await rds.send(
        new CreateDBInstanceCommand({
          DBInstanceIdentifier: other,
          DBInstanceClass: 'db.t4g.micro',
          Engine: 'postgres',
          AllocatedStorage: 20,
          MasterUsername: 'somebody',
          MasterUserPassword: 'nobody-knows-it',
          BackupRetentionPeriod: 0,
        }),
      );
      await site.available(other);
      const id = { DBSnapshotIdentifier: `${other}-snapshot` };
      await rds.send(new CreateDBSnapshotCommand({ ...id, DBInstanceIdentifier: other }));
      await eventually('a snapshot', async () => {
        const { DBSnapshots = [] } = await rds.send(new DescribeDBSnapshotsCommand(id));
        return DBSnapshots[0]?.Status === 'available';
      });
      await rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: other, SkipFinalSnapshot: true }));
      await eventually('the end of the other database', async () => (await site.leftovers()).length === 0);
    });

    test.each([
      {
        case: 'an unknown field',
        input: { restorTo: 'latest' },
        says: ['restorTo = "latest"', 'Did you mean restoreTo?'],
      },
      { case: 'no reason', input: { reason: '' }, says: ['reason = ""', 'Give one sentence'] },
      { case: 'a malformed time', input: { restoreTo: 'yesterday' }, says: ['restoreTo = "yesterday"', 'Write it as'] },
      {
        case: 'a time in the future',
        input: { restoreTo: '2199-01-01T00:00:00Z' },
        says: ['restoreTo = "2199-01-01T00:00:00Z" lies in the future', 'Use an earlier time'],
      },
      {
        case: 'a time outside the restore window',
        input: { restoreTo: '2020-01-01T00:00:00Z' },
        says: ['restoreTo = "2020-01-01T00:00:00Z" lies outside the restore window', 'Use a time from 20'],
      },
      {
        case: 'an unknown target',
        input: { target: 'stocker-pro-nowhere' },
        says: ['target = "stocker-pro-nowhere" names no database', 'The active database is stocker-pro-staging'],
      },
      {
        case: 'a snapshot of another database',
        input: { restoreTo: { snapshot: `${other}-snapshot` } },
        says: [`restoreTo.snapshot = "${other}-snapshot" is a snapshot of another database`, 'List its snapshots'],
      },
      {
        case: 'a recovery without confirmation',
        input: { mode: 'recovery' },
        says: ['confirm = (missing)', 'Set "confirm": "staging"'],
      },
      {
        case: 'a recovery confirmed for another environment',
        input: { mode: 'recovery', confirm: 'production' },
        says: ['confirm = "production"', 'Set "confirm": "staging"'],
      },
    ])('$case', async ({ input, says }) => {
      const told = site.notices.length;
      const calls = site.observe('rds', [
        'RestoreDBInstanceToPointInTime',
        'RestoreDBInstanceFromDBSnapshot',
        'ModifyDBInstance',
        'DeleteDBInstance',
      ]);
      const ended = await site.drill(input);
      expect(ended).toMatchObject({ status: 'FAILED', error: 'InvalidRequest' });
      const { errorMessage } = JSON.parse(ended.cause);
      for (const part of says) expect(errorMessage).toContain(part);
      expect(calls).toEqual([]);
      expect(await site.incidents()).toEqual([]);
      expect(await site.leftovers()).toEqual([]);
      // On a busy machine three of its short minutes may pass without a look, which rings; and what CloudTrail tells of the
      // installation arrives minutes later: these are no answers to a start.
      const isAnswer = ({ text }: { text: string }) => !/^\{"AlarmName"|recorded; nothing was started/.test(text);
      const answers = site.notices.slice(told).filter(isAnswer);
      expect(answers.map(({ text }) => text)).toEqual([expect.stringContaining('InvalidRequest')]);
    });
  });

  describe('a drill that is stopped half-way is cleaned up after, without its Catch', () => {
    /** Steps that the execution entered, by name. */
    const entered = async (arn: string) =>
      JSON.stringify(await site.history(arn)).match(/(?<="stateEnteredEventDetails":\{"name":")\w+/g) ?? [];

    async function expectCleanedUp(incident: string, arn: string, status: string) {
      const record = await eventually('a closed incident', async () => {
        const found = await site.incident(incident);
        return found?.status !== 'open' && found;
      });
      expect(record).toMatchObject({ status: 'failed' });
      await eventually('the end of every leftover', async () => (await site.leftovers()).length === 0);
      const steps = await entered(arn);
      expect(steps).toContain('RestoreDatabase');
      expect(steps).not.toContain('TearDown');
      const report = await site.report(incident);
      expect(report.failure).toMatchObject({ name: `Execution.${status}` });
      const own = site.notices.map(({ chat }) => chat as Record<string, Record<string, unknown>> | undefined);
      const kinds = own.flatMap((chat) => (chat?.metadata?.threadId === incident ? chat.metadata.eventType : []));
      // RDS deletes nothing that is `creating`: then the copy goes a little later, and people are told once more.
      expect(kinds.filter((kind) => kind !== 'update')).toEqual(['declared', 'failed']);
    }

    test('while it waits for the copy; a second start is refused meanwhile', async () => {
      let first = '';
      const held = site.atStep('AwaitAvailable', async () => {
        // Control: there is something to clean up.
        const left = await site.leftovers();
        const second = await site.drill();
        const lease = await site.lease();
        await site.halt(first);
        return { left, second, lease };
      });
      first = await site.begin({ reason: 'to be stopped' });
      const { left, second, lease } = await held;
      const { incident, status } = await site.end(first);
      expect(status).toBe('ABORTED');
      expect(left).toContain(`instance ${site.candidateOf(incident)}`);
      expect(second).toMatchObject({ status: 'FAILED', error: 'RecoveryInProgress' });
      expect(second.cause).toContain(incident);
      expect(lease?.incidentId).toBe(incident);
      await expectCleanedUp(incident, first, 'ABORTED');
    });

    test('while it validates', async () => {
      let arn = '';
      const held = site.atStep('CheckGate', () => site.halt(arn));
      arn = await site.begin({ reason: 'to be stopped' });
      await held;
      const { incident, status } = await site.end(arn);
      expect(status).toBe('ABORTED');
      await expectCleanedUp(incident, arn, 'ABORTED');
    });

    test('when its time is up', async () => {
      const { sfn } = site.installation.clients;
      const { definition = '' } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn: site.machine }));
      const update = (text: string) =>
        sfn.send(new UpdateStateMachineCommand({ stateMachineArn: site.machine, definition: text }));
      await update(JSON.stringify({ ...JSON.parse(definition), TimeoutSeconds: 8 }));
      try {
        let arn = '';
        const held = site.atStep('ConfigureDatabase', () => site.end(arn));
        arn = await site.begin({ reason: 'to be timed out' });
        const { incident, status } = await held;
        expect(status).toBe('TIMED_OUT');
        await expectCleanedUp(incident, arn, 'TIMED_OUT');
      } finally {
        await update(definition);
      }
    });
  });

  interface Statement {
    Action: string | string[];
    Resource: string | string[];
    Effect: string;
  }

  /** Changes the inline policies of a function's role; returns what brings them back. */
  async function changePolicy(path: string, change: (statement: Statement) => Statement): Promise<() => Promise<void>> {
    const { connection, clients } = site.installation;
    const iam = new IAMClient({ ...connection, region: site.region });
    const FunctionName = site.names.lambda(path);
    const { Role = '' } = await clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    const RoleName = Role.split('/').at(-1) ?? '';
    const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
    const restore: (() => Promise<unknown>)[] = [];
    for (const PolicyName of PolicyNames) {
      const id = { RoleName, PolicyName };
      const { PolicyDocument = '' } = await iam.send(new GetRolePolicyCommand(id));
      const document = JSON.parse(decodeURIComponent(PolicyDocument)) as { Statement: Statement[] };
      const put = (value: object) =>
        iam.send(new PutRolePolicyCommand({ ...id, PolicyDocument: JSON.stringify(value) }));
      restore.push(() => put(document));
      const Statements = document.Statement.map(change).filter(({ Action }) => Action.length > 0);
      await put({ ...document, Statement: Statements });
    }
    return async () => {
      for (const each of restore) await each();
    };
  }

  const without =
    (action: string) =>
    (statement: Statement): Statement => ({
      ...statement,
      Action: [statement.Action].flat().filter((each) => each !== action),
    });

  /** What people grant who have not read the Service Authorization Reference. */
  const databaseOnly = (statement: Statement): Statement =>
    [statement.Action].flat().includes('rds:RestoreDBInstanceToPointInTime')
      ? { ...statement, Resource: [statement.Resource].flat().filter((arn) => arn.includes(':db:')) }
      : statement;

  describe('a missing permission fails the drill, named, and leaves nothing', () => {
    test.each([
      {
        case: 'the lease',
        path: 'incident/take-lease',
        change: without('dynamodb:PutItem'),
        says: /dynamodb:PutItem on resource: \S+table\/stocker-dr-staging/,
      },
      {
        case: 'the restore',
        path: 'database/restore-database',
        change: without('rds:RestoreDBInstanceToPointInTime'),
        says: /rds:RestoreDBInstanceToPointInTime/,
      },
      {
        case: 'the restore, of which only `db` is granted',
        path: 'database/restore-database',
        change: databaseOnly,
        says: /rds:RestoreDBInstanceToPointInTime on resource: \S+:(og|pg|subgrp|auto-backup):/,
      },
      {
        case: 'the master’s secret, once the copy is there',
        path: 'database/configure-database',
        change: without('secretsmanager:GetSecretValue'),
        says: /secretsmanager:GetSecretValue/,
      },
    ])('$case', async ({ path, change, says }) => {
      const restore = await changePolicy(path, change);
      const ended = await site.drill().finally(restore);
      expect(ended).toMatchObject({ status: 'FAILED', error: expect.stringMatching(/^AccessDenied/) });
      expect(JSON.parse(ended.cause).errorMessage).toMatch(says);
      expect(await site.leftovers()).toEqual([]);
    });

    test('and with every permission back it is green', async () => {
      expect(await site.drill()).toMatchObject({ status: 'SUCCEEDED', cause: '' });
      expect(await site.leftovers()).toEqual([]);
    });
  });
});
