/** VPCs, subnets and security groups of one Region. Terraform owns the networks: they are registered, or made by a call. */
import { randomBytes } from 'node:crypto';
import { AwsError, type Home, type Service } from '../../kernel.ts';

export interface Vpc {
  readonly id: string;
  readonly cidr: string;
  readonly tags: Map<string, string>;
}
export interface Subnet {
  readonly id: string;
  readonly vpcId: string;
  readonly availabilityZone: string;
  readonly cidr: string;
  readonly tags: Map<string, string>;
}
export interface Rule {
  readonly id: string;
  readonly egress: boolean;
  /** `-1` is every protocol. */
  readonly protocol: string;
  readonly fromPort?: number | undefined;
  readonly toPort?: number | undefined;
  /** Exactly one of these. */
  readonly cidr?: string | undefined;
  readonly cidrIpv6?: string | undefined;
  readonly groupId?: string | undefined;
  readonly prefixListId?: string | undefined;
  readonly description?: string | undefined;
}
export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly vpcId: string;
  readonly tags: Map<string, string>;
  rules: Rule[];
}

/** A network that something outside the cloud owns. */
export interface RegisteredNetwork {
  readonly vpcId: string;
  readonly cidr?: string;
  readonly subnets: readonly { readonly id: string; readonly availabilityZone: string; readonly cidr?: string }[];
  readonly securityGroups: readonly { readonly id: string; readonly name: string; readonly description?: string }[];
}

/** The service object of EC2. */
export interface Ec2Service extends Service {
  /** Makes known a VPC with its subnets and security groups, under the ids that configuration names. Adds to what is registered. */
  registerNetwork(network: RegisteredNetwork): void;
}

export class Network {
  readonly vpcs = new Map<string, Vpc>();
  readonly subnets = new Map<string, Subnet>();
  readonly groups = new Map<string, SecurityGroup>();
  readonly #home: Home;
  constructor(home: Home) {
    this.#home = home;
  }

  arn(type: string, id: string): string {
    return `arn:aws:ec2:${this.#home.region}:${this.#home.account}:${type}/${id}`;
  }

  register({ vpcId, cidr = '10.0.0.0/16', subnets, securityGroups }: RegisteredNetwork): void {
    if (!this.vpcs.has(vpcId)) this.addVpc(cidr, vpcId);
    for (const subnet of subnets) {
      const octet = this.subnets.size;
      this.subnets.set(subnet.id, { cidr: `10.0.${octet}.0/24`, ...subnet, vpcId, tags: new Map() });
    }
    for (const { id, name, description = name } of securityGroups) this.addGroup({ id, name, description, vpcId });
  }

  /** A VPC, and the default security group that comes with it. */
  addVpc(cidr: string, id = newId('vpc')): Vpc {
    const vpc: Vpc = { id, cidr, tags: new Map() };
    this.vpcs.set(id, vpc);
    this.addGroup({ id: newId('sg'), name: 'default', description: 'default VPC security group', vpcId: id });
    return vpc;
  }

  addSubnet(vpcId: string, cidr: string, availabilityZone = `${this.#home.region}a`): Subnet {
    this.vpc(vpcId);
    const subnet: Subnet = { id: newId('subnet'), vpcId, cidr, availabilityZone, tags: new Map() };
    this.subnets.set(subnet.id, subnet);
    return subnet;
  }

  /** A new group lets everything out and nothing in. */
  addGroup({
    id = newId('sg'),
    name,
    description,
    vpcId,
  }: {
    id?: string;
    name: string;
    description: string;
    vpcId: string;
  }): SecurityGroup {
    this.vpc(vpcId);
    if ([...this.groups.values()].some((group) => group.vpcId === vpcId && group.name === name)) {
      throw new AwsError('InvalidGroup.Duplicate', `The security group '${name}' already exists for VPC '${vpcId}'`);
    }
    const everything: Rule = { id: newId('sgr'), egress: true, protocol: '-1', cidr: '0.0.0.0/0' };
    const group: SecurityGroup = { id, name, description, vpcId, tags: new Map(), rules: [everything] };
    this.groups.set(id, group);
    return group;
  }

  vpc(id: string | undefined): Vpc {
    return known(this.vpcs, id, 'InvalidVpcID.NotFound', 'vpc ID');
  }
  subnet(id: string | undefined): Subnet {
    return known(this.subnets, id, 'InvalidSubnetID.NotFound', 'subnet ID');
  }
  group(id: string | undefined): SecurityGroup {
    return known(this.groups, id, 'InvalidGroup.NotFound', 'security group');
  }

  allow(group: SecurityGroup, rules: readonly Omit<Rule, 'id'>[]): Rule[] {
    for (const rule of rules) {
      if (rule.groupId) this.group(rule.groupId);
      if (group.rules.some((existing) => sameRule(existing, rule))) {
        throw new AwsError(
          'InvalidPermission.Duplicate',
          `the specified rule "peer: ${peerOf(rule)}, ${rule.protocol}, from port: ${rule.fromPort}, to port: ${rule.toPort}, ALLOW" already exists`,
        );
      }
    }
    const added = rules.map((rule) => ({ ...rule, id: newId('sgr') }));
    group.rules.push(...added);
    return added;
  }

  revoke(group: SecurityGroup, rules: readonly Omit<Rule, 'id'>[], ids: readonly string[]): void {
    const doomed = [
      ...rules.map((rule) => group.rules.find((existing) => sameRule(existing, rule))),
      ...ids.map((id) => group.rules.find((existing) => existing.id === id)),
    ];
    if (doomed.includes(undefined))
      throw new AwsError('InvalidPermission.NotFound', 'The specified rule does not exist in this security group.');
    group.rules = group.rules.filter((rule) => !doomed.includes(rule));
  }

  deleteGroup(id: string | undefined): void {
    const group = this.group(id);
    if (group.name === 'default')
      throw new AwsError(
        'CannotDelete',
        `the specified group: "${group.id}" name: "default" cannot be deleted by a user`,
      );
    const user = [...this.groups.values()].find(
      (other) => other !== group && other.rules.some(({ groupId }) => groupId === group.id),
    );
    if (user) throw new AwsError('DependencyViolation', `resource ${group.id} has a dependent object: ${user.id}`);
    this.groups.delete(group.id);
  }
}

export const newId = (prefix: string): string => `${prefix}-${randomBytes(9).toString('hex').slice(1)}`;

const peerOf = (rule: Omit<Rule, 'id'>): string =>
  rule.cidr ?? rule.cidrIpv6 ?? rule.groupId ?? rule.prefixListId ?? '';

const sameRule = (a: Omit<Rule, 'id'>, b: Omit<Rule, 'id'>): boolean =>
  a.egress === b.egress &&
  a.protocol === b.protocol &&
  a.fromPort === b.fromPort &&
  a.toPort === b.toPort &&
  peerOf(a) === peerOf(b);

function known<T>(all: ReadonlyMap<string, T>, id: string | undefined, code: string, what: string): T {
  const found = all.get(id ?? '');
  if (!found) throw new AwsError(code, `The ${what} '${id}' does not exist`);
  return found;
}
