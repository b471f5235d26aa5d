/** Amazon EC2: the network around databases and functions. Groups are recorded, not enforced: everything is on loopback. */
import { randomInt } from 'node:crypto';
import type { ResourceProvider, ServiceDefinition } from '../../kernel.ts';
import { provider } from '../declare.ts';
import { type Ec2Service, Network } from './network.ts';
import { networkOperations } from './operations.ts';
import { type RuleProperties, ruleOf } from './permissions.ts';

interface GroupProperties {
  GroupName?: string;
  GroupDescription: string;
  VpcId: string;
  SecurityGroupIngress?: RuleProperties[];
  SecurityGroupEgress?: RuleProperties[];
  Tags?: { Key: string; Value: string }[];
}

const PEERS = ['IpProtocol', 'FromPort', 'ToPort', 'CidrIp', 'CidrIpv6', 'Description'] as const;

export const ec2: ServiceDefinition = {
  name: 'ec2',
  sdk: '@aws-sdk/client-ec2',
  create(home): Ec2Service {
    const network = new Network(home);
    return {
      registerNetwork: (registered) => network.register(registered),
      operations: networkOperations(home, network),
      resources: {
        ...provider<GroupProperties>(
          'AWS::EC2::SecurityGroup',
          ['GroupName', 'GroupDescription', 'VpcId', 'SecurityGroupIngress', 'SecurityGroupEgress', 'Tags'],
          (properties, { stackName, logicalId }) => {
            const name = properties.GroupName ?? `${stackName}-${logicalId}-${randomInt(36 ** 6).toString(36)}`;
            const group = network.addGroup({ name, description: properties.GroupDescription, vpcId: properties.VpcId });
            for (const { Key, Value } of properties.Tags ?? []) group.tags.set(Key, Value);
            // Egress rules of a template take the place of the rule that lets everything out.
            if (properties.SecurityGroupEgress) group.rules = [];
            network.allow(
              group,
              (properties.SecurityGroupEgress ?? []).map((rule) => ruleOf(rule, true)),
            );
            network.allow(
              group,
              (properties.SecurityGroupIngress ?? []).map((rule) => ruleOf(rule, false)),
            );
            return { ref: group.id, attributes: { GroupId: group.id, Id: group.id, VpcId: group.vpcId } };
          },
        ),
        ...ruleProvider(network, 'AWS::EC2::SecurityGroupIngress', false),
        ...ruleProvider(network, 'AWS::EC2::SecurityGroupEgress', true),
      },
    };
  },
};

function ruleProvider(network: Network, type: string, egress: boolean): Record<string, ResourceProvider> {
  const peers = egress
    ? (['DestinationSecurityGroupId', 'DestinationPrefixListId'] as const)
    : (['SourceSecurityGroupId', 'SourcePrefixListId'] as const);
  return provider<RuleProperties & { GroupId: string }>(type, ['GroupId', ...PEERS, ...peers], (properties) => {
    const [rule] = network.allow(network.group(properties.GroupId), [ruleOf(properties, egress)]);
    return { ref: rule?.id ?? '', attributes: { Id: rule?.id } };
  });
}
