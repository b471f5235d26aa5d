/** Between the API's `IpPermissions`, CloudFormation's rules, and one rule per peer. */
import type * as Ec2 from '@aws-sdk/client-ec2';
import { AwsError } from '../../kernel.ts';
import type { Rule } from './network.ts';

export interface RuleProperties {
  IpProtocol: string;
  FromPort?: number | string;
  ToPort?: number | string;
  CidrIp?: string;
  CidrIpv6?: string;
  Description?: string;
  SourceSecurityGroupId?: string;
  DestinationSecurityGroupId?: string;
  SourcePrefixListId?: string;
  DestinationPrefixListId?: string;
}

export function rulesOf(permissions: readonly Ec2.IpPermission[] | undefined, egress: boolean): Omit<Rule, 'id'>[] {
  const rules = (permissions ?? []).flatMap(
    ({
      IpProtocol = '-1',
      FromPort,
      ToPort,
      IpRanges = [],
      Ipv6Ranges = [],
      UserIdGroupPairs = [],
      PrefixListIds = [],
    }) => {
      const base = { egress, protocol: protocolOf(IpProtocol), ...portsOf(IpProtocol, FromPort, ToPort) };
      return [
        ...IpRanges.map((range) => ({ ...base, cidr: range.CidrIp, description: range.Description })),
        ...Ipv6Ranges.map((range) => ({ ...base, cidrIpv6: range.CidrIpv6, description: range.Description })),
        ...UserIdGroupPairs.map((pair) => ({ ...base, groupId: pair.GroupId, description: pair.Description })),
        ...PrefixListIds.map((list) => ({ ...base, prefixListId: list.PrefixListId, description: list.Description })),
      ];
    },
  );
  if (permissions?.length && rules.length === 0)
    throw new AwsError('InvalidParameterValue', 'Invalid value for IpPermissions: a rule needs a peer');
  return rules;
}

export function ruleOf(properties: RuleProperties, egress: boolean): Omit<Rule, 'id'> {
  return {
    egress,
    protocol: protocolOf(String(properties.IpProtocol)),
    ...portsOf(String(properties.IpProtocol), optionalNumber(properties.FromPort), optionalNumber(properties.ToPort)),
    cidr: properties.CidrIp,
    cidrIpv6: properties.CidrIpv6,
    groupId: properties.SourceSecurityGroupId ?? properties.DestinationSecurityGroupId,
    prefixListId: properties.SourcePrefixListId ?? properties.DestinationPrefixListId,
    description: properties.Description,
  };
}

/** Rules of the same protocol and ports are shown as one permission with several peers. */
export function permissionsOf(rules: readonly Rule[], account: string): Ec2.IpPermission[] {
  const grouped = Map.groupBy(rules, ({ protocol, fromPort, toPort }) => `${protocol}/${fromPort}/${toPort}`);
  return [...grouped.values()].map((same) => ({
    IpProtocol: same[0]?.protocol,
    FromPort: same[0]?.fromPort,
    ToPort: same[0]?.toPort,
    IpRanges: same.flatMap(({ cidr, description }) => (cidr ? [{ CidrIp: cidr, Description: description }] : [])),
    Ipv6Ranges: same.flatMap(({ cidrIpv6, description }) =>
      cidrIpv6 ? [{ CidrIpv6: cidrIpv6, Description: description }] : [],
    ),
    UserIdGroupPairs: same.flatMap(({ groupId, description }) =>
      groupId ? [{ GroupId: groupId, UserId: account, Description: description }] : [],
    ),
    PrefixListIds: same.flatMap(({ prefixListId, description }) =>
      prefixListId ? [{ PrefixListId: prefixListId, Description: description }] : [],
    ),
  }));
}

export const describeRule = (groupId: string, rule: Rule, account: string): Ec2.SecurityGroupRule => ({
  SecurityGroupRuleId: rule.id,
  GroupId: groupId,
  GroupOwnerId: account,
  IsEgress: rule.egress,
  IpProtocol: rule.protocol,
  // The API shows "every port" as -1 here and leaves it out of permissions.
  FromPort: rule.fromPort ?? -1,
  ToPort: rule.toPort ?? -1,
  CidrIpv4: rule.cidr,
  CidrIpv6: rule.cidrIpv6,
  PrefixListId: rule.prefixListId,
  ReferencedGroupInfo: rule.groupId ? { GroupId: rule.groupId, UserId: account } : undefined,
  Description: rule.description,
});

const NUMBERS: Readonly<Record<string, string>> = { '6': 'tcp', '17': 'udp', '1': 'icmp', all: '-1' };
const protocolOf = (protocol: string): string => NUMBERS[protocol] ?? protocol;

/** A rule for every protocol has no ports. */
const portsOf = (protocol: string, fromPort: number | undefined, toPort: number | undefined) =>
  protocolOf(protocol) === '-1' ? {} : { fromPort, toPort };

const optionalNumber = (value: number | string | undefined): number | undefined =>
  value === undefined ? undefined : Number(value);
