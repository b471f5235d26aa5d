import { describe, expect, it } from 'vitest';
import { createTrail, deliveryMs, type Outcome } from '../../../local/cloudtrail/trail.ts';
import { AwsError, type BusEvent, type Call, type Principal, type ServiceName } from '../../../local/kernel.ts';

const now = Date.UTC(2026, 10, 29, 1, 2, 3);
const account = '111122223333';
const role: Principal = { kind: 'role', roleArn: `arn:aws:iam::${account}:role/team/operations`, sessionName: 'jane' };

interface Given {
  readonly input?: object;
  readonly outcome?: Outcome;
  readonly region?: string;
  readonly principal?: Principal;
  readonly isAwaited?: boolean;
}

/** What is delivered of one call, and where and when. */
function trail(service: ServiceName, operation: string, given: Given = {}) {
  const delivered: { event: BusEvent; region: string; afterMs: number }[] = [];
  const { input = {}, outcome = { output: {} }, region = 'us-east-1', principal = role, isAwaited = true } = given;
  const call: Call = { account, region, principal, requestId: 'request', accessKeyId: 'ASIAKEY' };
  createTrail({
    isAwaited: () => isAwaited,
    now: () => now,
    deliver: (event, where, afterMs) => void delivered.push({ event, region: where, afterMs }),
  }).record(service, operation, input, call, outcome);
  return delivered;
}
// biome-ignore lint/suspicious/noExplicitAny: events of every operation
const detail = (...given: Parameters<typeof trail>): any => trail(...given)[0]?.event.detail;

describe('a call that changes something', () => {
  it('is delivered to the Region in which it acted, with who made it, as CloudTrail tells', () => {
    const input = { DBInstanceIdentifier: 'stocker', SkipFinalSnapshot: true };
    const output = {
      DBInstance: { DBInstanceIdentifier: 'stocker', InstanceCreateTime: new Date(now), Nothing: undefined },
    };
    const [told] = trail('rds', 'DeleteDBInstance', { input, outcome: { output }, region: 'us-west-2' });
    expect(told).toMatchObject({ region: 'us-west-2', afterMs: deliveryMs });
    expect(told?.event).toMatchObject({
      source: 'aws.rds',
      'detail-type': 'AWS API Call via CloudTrail',
      time: now,
      detail: {
        eventSource: 'rds.amazonaws.com',
        eventName: 'DeleteDBInstance',
        eventTime: '2026-11-29T01:02:03Z',
        awsRegion: 'us-west-2',
        readOnly: false,
        requestID: 'request',
        requestParameters: { dBInstanceIdentifier: 'stocker', skipFinalSnapshot: true },
        responseElements: { dBInstanceIdentifier: 'stocker', instanceCreateTime: 'Nov 29, 2026, 1:02:03 AM' },
        userIdentity: {
          type: 'AssumedRole',
          arn: `arn:aws:sts::${account}:assumed-role/operations/jane`,
          accessKeyId: 'ASIAKEY',
          sessionContext: { sessionIssuer: { type: 'Role', arn: role.roleArn, userName: 'operations' } },
        },
      },
    });
    expect(told?.event.detail).not.toHaveProperty('errorCode');
    expect(told?.event.detail).not.toHaveProperty('resources');
  });

  it.each<{ service: ServiceName; operation: string; input: object; shown: object }>([
    {
      service: 'route-53',
      operation: 'ChangeResourceRecordSets',
      input: {
        HostedZoneId: 'Z1',
        ChangeBatch: {
          Changes: [
            { Action: 'DELETE', ResourceRecordSet: { Name: 'api.', TTL: 60, ResourceRecords: [{ Value: 'a' }] } },
          ],
        },
      },
      shown: {
        hostedZoneId: 'Z1',
        changeBatch: {
          changes: [
            { action: 'DELETE', resourceRecordSet: { name: 'api.', tTL: 60, resourceRecords: [{ value: 'a' }] } },
          ],
        },
      },
    },
    { service: 'eks', operation: 'DeleteCluster', input: { name: 'stocker' }, shown: { name: 'stocker' } },
    {
      service: 'ec2',
      operation: 'RevokeSecurityGroupIngress',
      input: { GroupId: 'sg-1', IpPermissions: [{ IpProtocol: 'tcp', IpRanges: [{ CidrIp: '10.0.0.0/8' }] }] },
      shown: {
        groupId: 'sg-1',
        ipPermissions: { items: [{ ipProtocol: 'tcp', ipRanges: { items: [{ cidrIp: '10.0.0.0/8' }] } }] },
      },
    },
    {
      service: 's3',
      operation: 'PutBucketVersioning',
      input: { Bucket: 'state', VersioningConfiguration: { Status: 'Suspended' } },
      shown: { bucketName: 'state', VersioningConfiguration: { Status: 'Suspended' } },
    },
  ])('of $service shows what was asked in that service’s own form', ({ service, operation, input, shown }) => {
    expect(detail(service, operation, { input }).requestParameters).toEqual(shown);
  });

  it('names a key or a bucket as its resource', () => {
    const arn = `arn:aws:kms:us-east-1:${account}:key/k`;
    const key = detail('kms', 'ScheduleKeyDeletion', { input: { KeyId: 'k' } });
    expect(key.resources).toEqual([{ accountId: account, type: 'AWS::KMS::Key', ARN: arn }]);
    const bucket = detail('s3', 'PutPublicAccessBlock', { input: { Bucket: 'state' } });
    expect(bucket).toMatchObject({
      eventName: 'PutBucketPublicAccessBlock',
      resources: [{ ARN: 'arn:aws:s3:::state' }],
    });
  });

  it('never shows a secret', () => {
    const secret = { SecretId: 's', SecretString: 'hunter2', SecretBinary: Buffer.from('hunter2') };
    const put = detail('secrets-manager', 'PutSecretValue', {
      input: secret,
      outcome: { output: { ARN: 'arn', Name: 's' } },
    });
    expect(put).toMatchObject({ requestParameters: { secretId: 's' }, responseElements: { arn: 'arn', name: 's' } });
    expect(JSON.stringify(put)).not.toContain('hunter2');
    expect(JSON.stringify(put)).not.toContain(Buffer.from('hunter2').toString('base64'));
    const input = { DBInstanceIdentifier: 'stocker', MasterUserPassword: 'hunter2' };
    expect(detail('rds', 'ModifyDBInstance', { input }).requestParameters).toEqual({
      dBInstanceIdentifier: 'stocker',
      masterUserPassword: '****',
    });
  });

  it('that was refused tells why, and that nothing was answered', () => {
    const error = new AwsError('AccessDenied', 'not authorized');
    expect(detail('rds', 'DeleteDBInstance', { outcome: { error } })).toMatchObject({
      errorCode: 'AccessDenied',
      errorMessage: 'not authorized',
      responseElements: null,
    });
    const ec2 = detail('ec2', 'DeleteSecurityGroup', {
      outcome: { error: new AwsError('DependencyViolation', 'used') },
    });
    expect(ec2.errorCode).toBe('Client.DependencyViolation');
  });

  it('by the account or by a service says so', () => {
    const operator: Principal = { kind: 'operator', arn: `arn:aws:iam::${account}:root`, accessKeyId: 'operator' };
    expect(detail('rds', 'StopDBInstance', { principal: operator }).userIdentity).toMatchObject({
      type: 'Root',
      arn: operator.arn,
    });
    const service: Principal = { kind: 'service', service: 'scheduler.amazonaws.com' };
    expect(detail('rds', 'StopDBInstance', { principal: service })).toMatchObject({
      userIdentity: { type: 'AWSService', invokedBy: 'scheduler.amazonaws.com' },
    });
  });
});

describe('nothing is delivered of', () => {
  it.each<{ what: string; service: ServiceName; operation: string; given?: Given }>([
    { what: 'a look', service: 'rds', operation: 'DescribeDBInstances' },
    { what: 'a secret that is read', service: 'secrets-manager', operation: 'GetSecretValue' },
    { what: 'cryptography', service: 'kms', operation: 'GenerateDataKey' },
    { what: 'an object', service: 's3', operation: 'PutObject' },
    { what: 'objects', service: 's3', operation: 'DeleteObjects' },
    { what: 'a service whose calls are not told here', service: 'sqs', operation: 'SendMessage' },
    { what: 'a call that no rule awaits', service: 'rds', operation: 'DeleteDBInstance', given: { isAwaited: false } },
    {
      what: 'what only the embedded cloud refuses',
      service: 'rds',
      operation: 'DeleteDBInstance',
      given: { outcome: { error: new AwsError('NotImplemented', 'not here') } },
    },
  ])('$what', ({ service, operation, given }) => {
    expect(trail(service, operation, given)).toEqual([]);
  });
});
