import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ec2 } from '../../../../local/services/ec2/index.ts';
import type { Ec2Service } from '../../../../local/services/ec2/network.ts';
import { storage } from '../storage-home.ts';

const cloud = storage([ec2]);
const call = (operation: string, input: object) => cloud.call('ec2', operation, input);
beforeAll(async () => {
  await cloud.ready;
  (cloud.service('ec2') as Ec2Service).registerNetwork({
    vpcId: 'vpc-1',
    subnets: [{ id: 'subnet-a', availabilityZone: 'us-east-1a' }],
    securityGroups: [{ id: 'sg-app', name: 'app' }],
  });
});
afterAll(() => cloud.stop());

const rule = { IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, UserIdGroupPairs: [{ GroupId: 'sg-app' }] };
let GroupId = '';
let made = 0;
beforeEach(async () => {
  made += 1;
  const TagSpecifications = [{ ResourceType: 'security-group', Tags: [{ Key: 'incident', Value: `i-${made}` }] }];
  GroupId = (
    await call('CreateSecurityGroup', {
      GroupName: `drill-${made}`,
      Description: 'a drill',
      VpcId: 'vpc-1',
      TagSpecifications,
    })
  ).GroupId;
});
const group = async () => (await call('DescribeSecurityGroups', { GroupIds: [GroupId] })).SecurityGroups[0];

test('what was registered is found by id and filter', async () => {
  expect(await call('DescribeSubnets', { Filters: [{ Name: 'vpc-id', Values: ['vpc-*'] }] })).toMatchObject({
    Subnets: [{ SubnetId: 'subnet-a', AvailabilityZone: 'us-east-1a' }],
  });
  expect(await call('DescribeVpcs', { VpcIds: ['vpc-1'] })).toMatchObject({ Vpcs: [{ VpcId: 'vpc-1' }] });
  expect(
    await call('DescribeSecurityGroups', { Filters: [{ Name: 'tag:incident', Values: [`i-${made}`] }] }),
  ).toMatchObject({ SecurityGroups: [{ GroupId }] });
});

test.for([
  ['DescribeSecurityGroups', { GroupIds: ['sg-none'] }, 'InvalidGroup.NotFound'],
  ['DescribeSubnets', { SubnetIds: ['subnet-none'] }, 'InvalidSubnetID.NotFound'],
  ['DescribeVpcs', { VpcIds: ['vpc-none'] }, 'InvalidVpcID.NotFound'],
  ['CreateSecurityGroup', { GroupName: 'x', Description: 'x', VpcId: 'vpc-none' }, 'InvalidVpcID.NotFound'],
  ['CreateSecurityGroup', { GroupName: 'app', Description: 'x', VpcId: 'vpc-1' }, 'InvalidGroup.Duplicate'],
  ['DescribeVpcs', { Filters: [{ Name: 'nonsense', Values: ['x'] }] }, 'InvalidParameterValue'],
] as const)('%s of %o answers %s', async ([operation, input, code]) => {
  await expect(call(operation, input)).rejects.toMatchObject({ code });
});

test('a new group lets nothing in and everything out; rules come and go', async () => {
  expect(await group()).toMatchObject({ IpPermissions: [], IpPermissionsEgress: [{ IpProtocol: '-1' }] });
  await call('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions: [rule] });
  expect(await group()).toMatchObject({
    IpPermissions: [{ FromPort: 5432, UserIdGroupPairs: [{ GroupId: 'sg-app' }] }],
  });
  await expect(call('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions: [rule] })).rejects.toMatchObject({
    code: 'InvalidPermission.Duplicate',
  });
  await call('RevokeSecurityGroupIngress', { GroupId, IpPermissions: [rule] });
  await expect(call('RevokeSecurityGroupIngress', { GroupId, IpPermissions: [rule] })).rejects.toMatchObject({
    code: 'InvalidPermission.NotFound',
  });
});

test('a group that another refers to cannot be deleted', async () => {
  const other = (await call('CreateSecurityGroup', { GroupName: `other-${made}`, Description: 'x', VpcId: 'vpc-1' }))
    .GroupId;
  const reference = { IpProtocol: 'tcp', FromPort: 1, ToPort: 1, UserIdGroupPairs: [{ GroupId }] };
  await call('AuthorizeSecurityGroupIngress', { GroupId: other, IpPermissions: [reference] });
  await expect(call('DeleteSecurityGroup', { GroupId })).rejects.toMatchObject({ code: 'DependencyViolation' });
  await call('RevokeSecurityGroupIngress', { GroupId: other, IpPermissions: [reference] });
  await call('DeleteSecurityGroup', { GroupId });
});

test('presents tags of the request and of the group', async () => {
  const TagSpecifications = [{ ResourceType: 'security-group', Tags: [{ Key: 'incident', Value: 'i-9' }] }];
  expect(
    await cloud.access('ec2', 'CreateSecurityGroup', { GroupName: 'x', VpcId: 'vpc-1', TagSpecifications }),
  ).toMatchObject([
    { action: 'ec2:CreateSecurityGroup', conditions: { 'aws:RequestTag/incident': 'i-9' } },
    { action: 'ec2:CreateSecurityGroup', resources: ['arn:aws:ec2:us-east-1:111122223333:vpc/vpc-1'] },
    { action: 'ec2:CreateTags', conditions: { 'ec2:CreateAction': 'CreateSecurityGroup' } },
  ]);
  expect(await cloud.access('ec2', 'DeleteSecurityGroup', { GroupId })).toMatchObject([
    { conditions: { 'aws:ResourceTag/incident': `i-${made}` } },
  ]);
});

test('a template makes groups and rules between them', async () => {
  const { ref } = await cloud.deploy('ec2', 'AWS::EC2::SecurityGroup', {
    GroupDescription: 'functions',
    VpcId: 'vpc-1',
    SecurityGroupEgress: [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, CidrIp: '0.0.0.0/0' }],
  });
  await cloud.deploy('ec2', 'AWS::EC2::SecurityGroupIngress', {
    GroupId,
    IpProtocol: 'tcp',
    FromPort: 5432,
    ToPort: 5432,
    SourceSecurityGroupId: ref,
  });
  expect(await group()).toMatchObject({ IpPermissions: [{ UserIdGroupPairs: [{ GroupId: ref }] }] });
});
