/** The EC2 API over the network. */
import type * as Ec2 from '@aws-sdk/client-ec2';
import { type Access, AwsError, type Home, type Operation } from '../../kernel.ts';
import { operation, page } from '../declare.ts';
import type { Network, SecurityGroup, Subnet, Vpc } from './network.ts';
import { describeRule, permissionsOf, rulesOf } from './permissions.ts';

export function networkOperations(home: Home, network: Network): Record<string, Operation> {
  return {
    DescribeVpcs: describe<Ec2.DescribeVpcsCommandInput, Vpc>(
      'DescribeVpcs',
      'VpcIds',
      () => network.vpcs,
      (id) => network.vpc(id),
      vpcFilters,
      (vpcs) => ({
        Vpcs: vpcs.map((vpc) => ({
          VpcId: vpc.id,
          CidrBlock: vpc.cidr,
          State: 'available',
          IsDefault: false,
          OwnerId: home.account,
          Tags: tagList(vpc.tags),
        })),
      }),
    ),
    DescribeSubnets: describe<Ec2.DescribeSubnetsCommandInput, Subnet>(
      'DescribeSubnets',
      'SubnetIds',
      () => network.subnets,
      (id) => network.subnet(id),
      subnetFilters,
      (subnets) => ({
        Subnets: subnets.map((subnet) => ({
          ...shownSubnet(home, subnet),
          SubnetArn: network.arn('subnet', subnet.id),
        })),
      }),
    ),
    DescribeSecurityGroups: describe<Ec2.DescribeSecurityGroupsCommandInput, SecurityGroup>(
      'DescribeSecurityGroups',
      'GroupIds',
      () => network.groups,
      (id) => network.group(id),
      groupFilters,
      (groups) => ({
        SecurityGroups: groups.map((group) => ({
          GroupId: group.id,
          GroupName: group.name,
          Description: group.description,
          VpcId: group.vpcId,
          OwnerId: home.account,
          SecurityGroupArn: network.arn('security-group', group.id),
          IpPermissions: permissionsOf(
            group.rules.filter(({ egress }) => !egress),
            home.account,
          ),
          IpPermissionsEgress: permissionsOf(
            group.rules.filter(({ egress }) => egress),
            home.account,
          ),
          Tags: tagList(group.tags),
        })),
      }),
    ),
    DescribeSecurityGroupRules: operation<
      Ec2.DescribeSecurityGroupRulesCommandInput,
      Ec2.DescribeSecurityGroupRulesCommandOutput
    >(
      ['Filters', 'SecurityGroupRuleIds'],
      () => ({ action: 'ec2:DescribeSecurityGroupRules', resources: ['*'] }),
      (input) => {
        const all = [...network.groups.values()].flatMap((group) => group.rules.map((rule) => ({ group, rule })));
        const wanted = all.filter(
          ({ group, rule }) =>
            (!input.SecurityGroupRuleIds || input.SecurityGroupRuleIds.includes(rule.id)) &&
            passes(input.Filters, {}, (name) =>
              name === 'group-id' ? group.id : name === 'security-group-rule-id' ? rule.id : undefined,
            ),
        );
        return { SecurityGroupRules: wanted.map(({ group, rule }) => describeRule(group.id, rule, home.account)) };
      },
    ),
    /** Nothing here allocates an Elastic IP address: there is none. */
    DescribeAddresses: operation<Ec2.DescribeAddressesCommandInput, Ec2.DescribeAddressesCommandOutput>(
      [],
      () => ({ action: 'ec2:DescribeAddresses', resources: ['*'] }),
      () => ({ Addresses: [] }),
    ),
    CreateVpc: operation<Ec2.CreateVpcCommandInput, Ec2.CreateVpcCommandOutput>(
      ['CidrBlock', 'TagSpecifications'],
      (input) => creation(network, 'CreateVpc', 'vpc', input.TagSpecifications),
      (input) => {
        const vpc = network.addVpc(input.CidrBlock ?? '');
        tag(vpc.tags, input.TagSpecifications, 'vpc');
        return {
          Vpc: {
            VpcId: vpc.id,
            CidrBlock: vpc.cidr,
            State: 'available',
            OwnerId: home.account,
            Tags: tagList(vpc.tags),
          },
        };
      },
    ),
    CreateSubnet: operation<Ec2.CreateSubnetCommandInput, Ec2.CreateSubnetCommandOutput>(
      ['VpcId', 'CidrBlock', 'AvailabilityZone', 'TagSpecifications'],
      (input) => creation(network, 'CreateSubnet', 'subnet', input.TagSpecifications, input.VpcId),
      (input) => {
        const subnet = network.addSubnet(input.VpcId ?? '', input.CidrBlock ?? '', input.AvailabilityZone);
        tag(subnet.tags, input.TagSpecifications, 'subnet');
        return { Subnet: shownSubnet(home, subnet) };
      },
    ),
    ...groupOperations(home, network),
  };
}

function groupOperations(home: Home, network: Network): Record<string, Operation> {
  const onGroup = (action: string, id: string | undefined): Access => {
    const group = network.groups.get(id ?? '');
    const tags = [...(group?.tags ?? [])].flatMap(([key, value]) => [
      [`aws:ResourceTag/${key}`, value],
      [`ec2:ResourceTag/${key}`, value],
    ]);
    return {
      action: `ec2:${action}`,
      resources: [network.arn('security-group', id ?? '')],
      conditions: {
        'ec2:Region': home.region,
        'ec2:SecurityGroupID': id,
        ...(group && { 'ec2:Vpc': network.arn('vpc', group.vpcId) }),
        ...Object.fromEntries(tags),
      },
    };
  };
  type Change = Ec2.AuthorizeSecurityGroupIngressCommandInput & Ec2.RevokeSecurityGroupIngressCommandInput;
  const simple = (input: Change): Ec2.IpPermission[] =>
    input.IpProtocol
      ? [
          {
            IpProtocol: input.IpProtocol,
            FromPort: input.FromPort,
            ToPort: input.ToPort,
            IpRanges: input.CidrIp ? [{ CidrIp: input.CidrIp }] : [],
          },
        ]
      : (input.IpPermissions ?? []);
  const change = (action: string, egress: boolean) =>
    operation<Change, object>(
      [
        'GroupId',
        'IpPermissions',
        'IpProtocol',
        'FromPort',
        'ToPort',
        'CidrIp',
        ...(action.startsWith('Revoke') ? (['SecurityGroupRuleIds'] as const) : []),
      ],
      (input) => onGroup(action, input.GroupId),
      (input) => {
        const group = network.group(input.GroupId);
        const rules = rulesOf(simple(input), egress);
        if (action.startsWith('Revoke')) {
          network.revoke(group, rules, input.SecurityGroupRuleIds ?? []);
          return { Return: true };
        }
        const added = network.allow(group, rules);
        return { Return: true, SecurityGroupRules: added.map((rule) => describeRule(group.id, rule, home.account)) };
      },
    );
  return {
    CreateSecurityGroup: operation<Ec2.CreateSecurityGroupCommandInput, Ec2.CreateSecurityGroupCommandOutput>(
      ['GroupName', 'Description', 'VpcId', 'TagSpecifications'],
      (input) => creation(network, 'CreateSecurityGroup', 'security-group', input.TagSpecifications, input.VpcId),
      (input) => {
        if (!input.VpcId) throw new AwsError('VPCIdNotSpecified', 'No default VPC for this user');
        const group = network.addGroup({
          name: input.GroupName ?? '',
          description: input.Description ?? '',
          vpcId: input.VpcId,
        });
        tag(group.tags, input.TagSpecifications, 'security-group');
        return {
          GroupId: group.id,
          SecurityGroupArn: network.arn('security-group', group.id),
          Tags: tagList(group.tags),
        };
      },
    ),
    DeleteSecurityGroup: operation<Ec2.DeleteSecurityGroupCommandInput, Ec2.DeleteSecurityGroupCommandOutput>(
      ['GroupId'],
      (input) => onGroup('DeleteSecurityGroup', input.GroupId),
      (input) => {
        network.deleteGroup(input.GroupId);
        return { Return: true, GroupId: input.GroupId };
      },
    ),
    AuthorizeSecurityGroupIngress: change('AuthorizeSecurityGroupIngress', false),
    AuthorizeSecurityGroupEgress: change('AuthorizeSecurityGroupEgress', true),
    RevokeSecurityGroupIngress: change('RevokeSecurityGroupIngress', false),
    RevokeSecurityGroupEgress: change('RevokeSecurityGroupEgress', true),
  };
}

/** Making something presents its type with a wildcard id and, with tags, `ec2:CreateTags` with the action that creates. */
function creation(
  network: Network,
  action: string,
  type: string,
  specifications: readonly Ec2.TagSpecification[] | undefined,
  vpcId?: string,
): Access[] {
  const tags = (specifications ?? []).flatMap(({ Tags = [] }) => Tags);
  const requested = {
    ...Object.fromEntries(tags.map(({ Key, Value = '' }) => [`aws:RequestTag/${Key}`, Value])),
    ...(tags.length > 0 && { 'aws:TagKeys': tags.map(({ Key = '' }) => Key) }),
  };
  const resources = [network.arn(type, '*')];
  return [
    { action: `ec2:${action}`, resources, conditions: requested },
    ...(vpcId ? [{ action: `ec2:${action}`, resources: [network.arn('vpc', vpcId)] }] : []),
    ...(tags.length
      ? [{ action: 'ec2:CreateTags', resources, conditions: { ...requested, 'ec2:CreateAction': action } }]
      : []),
  ];
}

type Filterable = {
  Filters?: Ec2.Filter[] | undefined;
  MaxResults?: number | undefined;
  NextToken?: string | undefined;
};
type Getter<T> = (item: T, name: string) => string | undefined;

/** A describe call: by ids (an unknown one is an error), by filters (nothing found is none), page by page. */
function describe<I extends Filterable, T extends { id: string; tags: Map<string, string> }>(
  action: string,
  idsMember: keyof I & string,
  all: () => ReadonlyMap<string, T>,
  find: (id: string) => T,
  value: Getter<T>,
  show: (items: T[]) => object,
): Operation {
  return operation<I, object>(
    [idsMember, 'Filters', 'MaxResults', 'NextToken'],
    () => ({ action: `ec2:${action}`, resources: ['*'] }),
    (input) => {
      const ids = input[idsMember] as string[] | undefined;
      const chosen = (ids?.length ? ids.map(find) : [...all().values()]).filter((item) =>
        passes(input.Filters, item, (name) => value(item, name)),
      );
      const { items, next } = page(chosen, input.NextToken, input.MaxResults ?? 1000);
      return { ...show(items), NextToken: next };
    },
  );
}

function passes(
  filters: readonly Ec2.Filter[] | undefined,
  { tags = new Map<string, string>() }: { tags?: Map<string, string> },
  value: (name: string) => string | undefined,
): boolean {
  return (filters ?? []).every(({ Name = '', Values = [] }) => {
    if (Name === 'tag-key') return Values.some((key) => tags.has(key));
    const actual = Name.startsWith('tag:') ? tags.get(Name.slice(4)) : value(Name);
    return actual !== undefined && Values.some((pattern) => wildcard(pattern).test(actual));
  });
}

const wildcard = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );

const unknownFilter = (name: string): never => {
  throw new AwsError('InvalidParameterValue', `The filter '${name}' is invalid`);
};
const vpcFilters: Getter<Vpc> = (vpc, name) =>
  ({ 'vpc-id': vpc.id, cidr: vpc.cidr, state: 'available', 'is-default': 'false' })[name] ?? unknownFilter(name);
const subnetFilters: Getter<Subnet> = (subnet, name) =>
  ({
    'subnet-id': subnet.id,
    'vpc-id': subnet.vpcId,
    'availability-zone': subnet.availabilityZone,
    'cidr-block': subnet.cidr,
    state: 'available',
  })[name] ?? unknownFilter(name);
const groupFilters: Getter<SecurityGroup> = (group, name) =>
  ({ 'group-id': group.id, 'group-name': group.name, 'vpc-id': group.vpcId, description: group.description })[name] ??
  unknownFilter(name);

const shownSubnet = (home: Home, subnet: Subnet): Ec2.Subnet => ({
  SubnetId: subnet.id,
  VpcId: subnet.vpcId,
  AvailabilityZone: subnet.availabilityZone,
  CidrBlock: subnet.cidr,
  State: 'available',
  OwnerId: home.account,
  Tags: tagList(subnet.tags),
});

const tagList = (tags: ReadonlyMap<string, string>): Ec2.Tag[] => [...tags].map(([Key, Value]) => ({ Key, Value }));

function tag(
  tags: Map<string, string>,
  specifications: readonly Ec2.TagSpecification[] | undefined,
  type: string,
): void {
  for (const { ResourceType, Tags = [] } of specifications ?? []) {
    if (ResourceType !== type)
      throw new AwsError(
        'InvalidParameterValue',
        `'${ResourceType}' is not a valid taggable resource type for this operation.`,
      );
    for (const { Key = '', Value = '' } of Tags) tags.set(Key, Value);
  }
}
