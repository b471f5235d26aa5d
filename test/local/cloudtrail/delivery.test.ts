/** A call on a whole cloud, from the SDK to the target of a rule. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { scaledClock } from '../../../local/clock.ts';
import { type Cloud, startCloud } from '../../../local/cloud.ts';
import { writeAssembly } from '../assembly/write-assembly.ts';

const root = mkdtempSync(join(tmpdir(), 'trail-test-'));

/** Every change goes into a queue. */
function stack(region: string) {
  const queue = { 'Fn::GetAtt': ['Told', 'Arn'] };
  const allow = {
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: queue,
  };
  return {
    region,
    template: {
      Resources: {
        Told: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'told' } },
        Policy: {
          Type: 'AWS::SQS::QueuePolicy',
          Properties: { Queues: [{ Ref: 'Told' }], PolicyDocument: { Version: '2012-10-17', Statement: [allow] } },
        },
        Changes: {
          Type: 'AWS::Events::Rule',
          Properties: {
            EventPattern: {
              source: ['aws.route53', 'aws.secretsmanager'],
              'detail-type': ['AWS API Call via CloudTrail'],
              detail: { errorCode: [{ exists: false }] },
            },
            Targets: [{ Id: 'told', Arn: queue }],
          },
        },
      },
    },
  };
}

let cloud: Cloud;
beforeAll(async () => {
  const assembly = writeAssembly(join(root, 'cdk.out'), { East: stack('us-east-1'), West: stack('us-west-2') });
  cloud = await startCloud({ assemblies: [assembly], directory: root, clock: scaledClock(10_000) });
});
afterAll(async () => {
  await cloud.stop();
  rmSync(root, { recursive: true });
});

const connection = () => ({
  endpoint: cloud.endpoint,
  credentials: { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'any' },
});
interface Told {
  readonly time: string;
  readonly detail: Readonly<Record<string, unknown>>;
}
const told: Record<string, Told[]> = { 'us-east-1': [], 'us-west-2': [] };

/** All that was told in a Region, once something was. */
const toldIn = (region: string) =>
  vi.waitFor(async () => {
    const QueueUrl = `${cloud.endpoint}/${cloud.account}/told`;
    const input = { QueueUrl, MaxNumberOfMessages: 10 };
    const answer = await cloud.call<{ Messages?: { Body: string }[] }>('sqs', 'ReceiveMessage', input, region);
    told[region]?.push(...(answer.Messages ?? []).map(({ Body }) => JSON.parse(Body)));
    expect(told[region]).not.toEqual([]);
    return told[region] ?? [];
  }, 30_000);

it('arrives once, with the time of the call, where the change was made: that of a global service in us-east-1', async () => {
  const route53 = new Route53Client({ ...connection(), region: 'us-west-2' });
  await route53.send(new CreateHostedZoneCommand({ Name: 'example.com', CallerReference: 'once' }));
  const west = new SecretsManagerClient({ ...connection(), region: 'us-west-2' });
  await west.send(new CreateSecretCommand({ Name: 'password', SecretString: 'hunter2' }));
  await west.send(new GetSecretValueCommand({ SecretId: 'password' }));
  await expect(west.send(new CreateSecretCommand({ Name: 'password', SecretString: 'x' }))).rejects.toThrow('exists');
  const [zone, ...others] = await toldIn('us-east-1');
  expect(zone).toMatchObject({
    source: 'aws.route53',
    region: 'us-east-1',
    detail: { eventName: 'CreateHostedZone', awsRegion: 'us-east-1', requestParameters: { name: 'example.com' } },
  });
  expect(others).toEqual([]);
  expect(zone?.time).toBe(zone?.detail.eventTime);
  const [secret, ...more] = await toldIn('us-west-2');
  expect(more).toEqual([]);
  expect(secret).toMatchObject({ source: 'aws.secretsmanager', detail: { userIdentity: { type: 'Root' } } });
  expect(JSON.stringify(secret)).not.toContain('hunter2');
});
