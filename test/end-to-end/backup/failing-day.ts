/** A day on which parts of the backup fail: the others are made all the same, and people are told which. */
import type { DBInstance } from '@aws-sdk/client-rds';
import { beforeAll, describe, expect, test } from 'vitest';
import { dumpDatabase } from '../../../cli/installation.ts';
import type { BackupRecord } from '../../../core/backup/contracts.ts';
import { AwsError } from '../../../local/kernel.ts';
import { type Ended, eventually } from '../../support/rehearsal.ts';
import {
  cutOff,
  here,
  identifier,
  observeModifications,
  production,
  recordOf,
  said,
  setRetention,
  site,
  start,
  there,
  verdicts,
} from './site.ts';

async function stateOf(name: string): Promise<string | undefined> {
  const { MetricAlarms } = await site.installation.cloud.call<{ MetricAlarms: { StateValue: string }[] }>(
    'cloudwatch',
    'DescribeAlarms',
    { AlarmNames: [site.names.alarm(name)] },
    here,
  );
  return MetricAlarms[0]?.StateValue;
}

describe('a day on which the copy fails and the dump is cut off', () => {
  let failed: Ended;
  let record: BackupRecord;
  let broken: string;
  let before: DBInstance;
  let asked: unknown[];
  let rangBefore: string | undefined;

  beforeAll(async () => {
    await setRetention(3);
    before = await production();
    asked = observeModifications();
    broken = await dumpDatabase(site.installation);
    const mend = await cutOff(broken);
    const end = site.inject({
      service: 'rds',
      operation: 'CopyDBSnapshot',
      effect: { kind: 'throw', error: new AwsError('KMSKeyNotAccessibleFault', 'The key is disabled.') },
    });
    rangBefore = await stateOf('backup-failed');
    failed = await start();
    end();
    record = await recordOf(failed);
    await mend();
  });

  test('ends failed, names both, and has made everything else', () => {
    expect(failed).toMatchObject({ status: 'FAILED', error: 'BackupIncomplete' });
    expect(verdicts(record)).toMatchObject({
      snapshot: 'passed',
      copy: 'failed',
      verification: 'failed',
      retention: 'passed',
      'retention-elsewhere': 'failed',
      'cluster-state': 'passed',
      configuration: 'passed',
      dump: 'failed',
    });
    expect(said(record, 'copy')).toContain('The key is disabled');
    expect(said(record, 'dump')).toContain(`${broken} is not whole`);
  });

  test('repairs what has drifted: retention and replication, and nothing else of production', async () => {
    expect(verdicts(record).protection).toBe('repaired');
    expect(said(record, 'protection')).toBe(
      `${identifier} kept automated backups for 3 days; now for 7; automated backups were not replicated to ${there}; now they are`,
    );
    // Refused once, where RDS is at work on the snapshot: asked again.
    expect(new Set(asked.map((input) => JSON.stringify(input)))).toEqual(
      new Set([JSON.stringify({ DBInstanceIdentifier: identifier, BackupRetentionPeriod: 7 })]),
    );
    expect(await production()).toEqual({
      ...before,
      BackupRetentionPeriod: 7,
      DBInstanceAutomatedBackupsReplications: [
        { DBInstanceAutomatedBackupsArn: expect.stringContaining(`arn:aws:rds:${there}:`) },
      ],
    });
  });

  test('rings when the watch has looked, and tells people which parts', async () => {
    expect(rangBefore).not.toBe('ALARM');
    await site.installation.cloud.fireSchedule(site.names.schedule('backup-watch'), here);
    await eventually('the alarm backup-failed', async () => (await stateOf('backup-failed')) === 'ALARM');
    const notice = site.notices.find(({ subject }) => subject.includes('FAILED'));
    expect(notice?.text).toMatch(/FAILED copy: .*The key is disabled/);
    expect(notice?.text).toContain('FAILED dump: ');
  });
});
