import { PassThrough } from 'node:stream';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { expect, test } from 'vitest';
import { clientsOf } from '../../cli/clients.ts';
import { type Missed, readMissed, showMissed } from '../../cli/missed.ts';
import { Screen } from '../../cli/screen.ts';
import { production } from '../../config/production.ts';

const struckAt = Date.parse('2026-11-22T20:15:00Z');
const alarm = 'stocker-dr-production-database-damage-found';
const decision = (at: string) => ({
  pk: 'decisions',
  sk: `${at}#${alarm}`,
  at,
  alarm,
  verdict: 'record',
  reasons: ['it is a blocked window'],
});

function scripted() {
  const clients = clientsOf({}, 'us-east-1');
  const items = [decision('2026-11-22T20:16:00Z'), decision('2026-11-22T20:14:00Z')].map((each) => marshall(each));
  const dynamodb = Object.assign(new DynamoDBClient({}), {
    send: async ({ input }: { input: { ExpressionAttributeValues: Record<string, { S: string }> } }) => ({
      Items: input.ExpressionAttributeValues[':pk']?.S === 'decisions' ? items : [],
    }),
  });
  const cloudwatch = Object.assign(new CloudWatchClient({}), {
    send: async () => ({
      MetricAlarms: [{ AlarmName: alarm, StateValue: 'OK', StateReason: 'no data point above 0' }],
    }),
  });
  return { ...clients, dynamodb, cloudwatch };
}

const shown = (missed: Missed): string => {
  const out = new PassThrough();
  showMissed(missed, new Screen({ out: out as unknown as NodeJS.WriteStream }));
  return String(out.read());
};

test('what nobody detected is told with every alarm, what triage decided since, and where to look', async () => {
  const missed = await readMissed({ configuration: production, clients: scripted() }, struckAt, 240);
  expect(missed).toMatchObject({
    failure: { name: 'NotDetected', message: expect.stringContaining('240 s') },
    alarms: [{ name: alarm, state: 'OK' }],
    decisions: [{ at: '2026-11-22T20:16:00Z' }],
    looks: [],
  });
  const text = shown(missed);
  expect(text).toMatch(/alarms +stocker-dr-production-database-damage-found OK: no data point above 0/);
  expect(text).toMatch(/triage +2026-11-22 20:16:00 UTC .*: record, it is a blocked window/);
  expect(text).toMatch(/sentinel +none since the disaster/);
  expect(text).toMatch(/Next: /);
});

test('what the sentinel’s looks found is told, the newest three', () => {
  const look = { at: '2026-11-22T20:16:00Z', verdict: 'damaged', findings: ['rows stock: 0 of 100'] };
  const text = shown({
    outcome: 'The disaster was not detected',
    failure: { name: 'NotDetected', message: 'm', next: 'n' },
    alarms: [],
    decisions: [],
    looks: [look, look, look, { ...look, verdict: 'sound' }],
  });
  expect(text.match(/damaged: rows stock: 0 of 100/g)).toHaveLength(3);
  expect(text).not.toContain('sound');
});
