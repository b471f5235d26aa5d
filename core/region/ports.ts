/** What the region area needs from outside. */
import type { DatabaseInstance, Deployment } from '../database/ports.ts';
import type { GuardRecord, Latch, LatchName, PrimaryLook, Tenure, TenureMemory } from './contracts.ts';

/** Looks at production's Region, in the incident table of the Region that looks; newest last. */
export interface PrimaryLooks {
  record(look: PrimaryLook): Promise<void>;
  newest(count: number): Promise<PrimaryLook[]>;
}

/** DR Region: latches, and what guards met. */
export interface RegionStore {
  readLatch(name: LatchName): Promise<Latch | undefined>;
  writeLatch(latch: Latch): Promise<void>;
  recordGuard(record: GuardRecord): Promise<void>;
  /** Newest first. */
  guards(): Promise<GuardRecord[]>;
}

/** DR Region: for how long production in the primary Region may take writes. Each is one write. */
export interface Tenures {
  read(): Promise<Tenure | undefined>;
  /** False where a failover has ended it at this epoch, or a later one. */
  renew(tenure: Tenure & { readonly renewedAt: string }): Promise<boolean>;
  /** From now on nobody renews it at this epoch; as it was renewed last. Undefined where it is of a later epoch. */
  end(tenure: Pick<Tenure, 'region' | 'epoch'> & { readonly endedBy: string }): Promise<Tenure | undefined>;
}

/** The incident table of the Region that remembers. */
export interface TenureMemories {
  read(): Promise<TenureMemory | undefined>;
  write(memory: TenureMemory): Promise<void>;
}

/** Read replicas, in one Region. */
export interface Replicas {
  /** The one that follows this instance. */
  of(source: Pick<DatabaseInstance, 'identifier' | 'region'>): Promise<DatabaseInstance | undefined>;
  create(specification: ReplicaSpecification): Promise<'started' | 'exists'>;
  /** Makes it an instance of its own; 'promoted' where it is none any more. */
  promote(
    identifier: string,
    backups: { readonly retentionDays: number; readonly window: string | undefined },
  ): Promise<'started' | 'promoted'>;
  /** Gives it the parameters of a group; static ones, and all of a group that is new to it, apply with a reboot. */
  useParameters(identifier: string, parameterGroup: string): Promise<void>;
  reboot(identifier: string): Promise<void>;
  /** Automated backups, which a replica is made without; nothing can be made of one that has none. */
  backUp(identifier: string, retentionDays: number): Promise<void>;
  tag(arn: string, tags: Readonly<Record<string, string>>): Promise<void>;
}

/** Without a parameter group: RDS for PostgreSQL takes none here (./equip-replica.ts). */
export interface ReplicaSpecification {
  readonly identifier: string;
  /** With a subnet group of its own RDS wants it as an ARN, even of the same Region (terraform-provider-aws#40426). */
  readonly sourceArn: string;
  readonly subnetGroup: string;
  readonly securityGroupIds: readonly string[];
  /** Of the Region where it is made; undefined within the source's own. */
  readonly keyId: string | undefined;
  readonly like: Pick<DatabaseInstance, 'settings'>;
  readonly tags: Readonly<Record<string, string>>;
}

export interface NodegroupState {
  readonly status: string;
  readonly desired: number;
  readonly minimum: number;
  readonly maximum: number;
}

/** The cluster of the Region. */
export interface Standby {
  nodegroup(cluster: string, name: string): Promise<NodegroupState | undefined>;
  scaleNodegroup(cluster: string, name: string, size: Omit<NodegroupState, 'status'>): Promise<void>;
  /** Nodes that are Ready, by the Kubernetes API. */
  readyNodes(cluster: string): Promise<number>;
  /** undefined: no such deployment. Sets how many pods it has; returns how many it had. */
  scale(deployment: Deployment, replicas: number): Promise<number | undefined>;
}

/** What a server answers for a name: sorted addresses, and targets of SRV records. */
export interface Names {
  /** Empty where there are no records. Throws where no server answers. */
  leadsTo(server: string, name: string): Promise<readonly string[]>;
}

/** Route 53's control plane. */
export interface Records {
  /** Gives `name` the record sets of `like`; returns the change. */
  copy(zone: string, like: string, name: string): Promise<string>;
  isInSync(change: string): Promise<boolean>;
}
