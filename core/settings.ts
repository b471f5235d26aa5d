/**
 * What the recovery logic must know of one installation: names, objectives, limits. No secrets.
 * config/ checks it and adds what only a deployment needs; the bundle carries it to the functions as settings.json.
 */
import * as z from 'zod';

const seconds = z.number().int().positive();
const dnsName = z
  .string()
  .regex(/^([a-z0-9_-]+\.)+[a-z]+$/, 'must be a DNS name in lower case, such as api.example.com');
const identifier = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be a lower-case name of letters, digits and hyphens');

/** A login role of the application and the secret ({ username, password }) that holds its credentials. */
export const ApplicationRole = z.strictObject({ name: z.string(), secretName: z.string() });

/** A read-only statement whose single row and column must equal `expect`; `consistency` compares services. */
export const ValidationQuery = z.strictObject({
  name: z.string(),
  kind: z.enum(['application', 'consistency']),
  sql: z.string(),
  expect: z.union([z.string(), z.number(), z.boolean()]),
});

/** One deployment of the application on EKS. */
export const Deployment = z.strictObject({ cluster: z.string(), namespace: z.string(), name: z.string() });

/** Where the application is reached and what proves it healthy. Addresses live in parameters that Terraform writes. */
export const ApplicationTarget = z.strictObject({
  deployment: Deployment,
  /** SSM parameter: base URL, e.g. http://stocker-api-canary.internal:8080 */
  urlParameter: z.string(),
  /** SSM parameter that the deployment reads its database endpoint from: {"address","port"} as JSON. */
  databaseEndpointParameter: z.string(),
});

/** What Terraform and Kustomize make a cluster from. */
export const Blueprint = z.strictObject({
  cluster: z.string(),
  /** File of Terraform variables, in terraform/ of the repository. */
  variables: z.string().endsWith('.tfvars'),
  /** Key of the state in the Region's state bucket. */
  stateKey: z.string(),
  /** Directory of the overlay in the repository. */
  overlay: z.string(),
});

const account = z.string().regex(/^\d{12}$/, 'must be a 12-digit AWS account');

/** An account in which drills make their cluster, away from production's. */
export const DrillAccount = z.strictObject({
  id: account,
  /** Role there that drills assume, in builds and in functions. */
  roleArn: z
    .string()
    .regex(/^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]+$/, 'must be the ARN of a role such as arn:aws:iam::…:role/…'),
  /** Buckets there of Terraform's state, in production's primary and DR Region. */
  stateBuckets: z.strictObject({ primary: z.string().min(3), dr: z.string().min(3) }),
});

export const RegionSettings = z.strictObject({
  region: z.string(),
  role: z.enum(['primary', 'dr']),
  incidentTable: z.string(),
  evidenceBucket: z.string(),
  internalTopicArn: z.string(),
  customersTopicArn: z.string(),
  /** Where the plan's CronJob keeps its dumps. */
  dumpBucket: z.string(),
  /** Encrypts the copies of backups that this Region receives. */
  backupKeyAlias: z.string(),
  /** Terraform's, versioned. */
  terraformStateBucket: z.string(),
  databaseSubnetGroup: z.string(),
  databaseParameterGroup: z.string(),
  /** Security groups that production instances carry. */
  databaseSecurityGroupIds: z.array(z.string()).min(1),
  /** Admits the validator only; restored copies start in it. */
  isolatedSecurityGroupId: z.string(),
});

export const Settings = z.strictObject({
  environment: identifier,
  account,
  objectives: z.strictObject({ rtoSeconds: seconds, rpoSeconds: seconds }),
  primary: RegionSettings,
  dr: RegionSettings,
  /** DR Region: lease, active-database record, latch. */
  controlTable: z.string(),
  database: z.strictObject({
    /** The instance that is production before any cut-over. */
    identifier,
    name: z.string(),
    port: z.number().int(),
    masterSecretName: z.string(),
    heartbeatRole: ApplicationRole,
    sentinelRole: ApplicationRole,
    applicationRoles: z.array(ApplicationRole).min(1),
    /** SQL that yields the schema version of the application as one value. */
    schemaVersionSql: z.string(),
    /** What the keys of dumps begin with. */
    dumpPrefix: z.string().endsWith('/'),
    /** Production's endpoint parameter is application.databaseEndpointParameter. */
    drillPrefix: z.string().regex(/^[a-z][a-z0-9-]*-$/, 'must end in a hyphen'),
  }),
  application: ApplicationTarget,
  canary: ApplicationTarget,
  /** What DNS answers; the records are Terraform's. */
  traffic: z.strictObject({
    hostedZoneName: dnsName,
    /** What clients ask for. */
    recordName: dnsName,
    /** What the canary's clients ask for; a drill shifts this one. */
    drillRecordName: dnsName,
    /** Always lead to the one Region; what the others are compared with. */
    primaryRecordName: dnsName,
    drRecordName: dnsName,
    ttlSeconds: seconds,
    /**
     * How traffic is shifted: by failover records whose health check follows the latch (data plane), or by a change of
     * the record itself (Route 53's control plane, which is in us-east-1).
     */
    strategy: z.enum(['health-check', 'change-record-sets']),
    /** SSM parameter of each Region: {"authoritative": ["<address>:<port>", …], "resolvers": […]} as JSON. */
    nameServersParameter: z.string(),
  }),
  region: z.strictObject({
    /**
     * How a primary that cannot be reached is kept from taking writes. `default`: its guard fences it when it returns.
     * `strict`: it fences itself when its tenure is over, and a failover waits that out (docs/decisions/0033).
     */
    fencing: z.discriminatedUnion('mode', [
      z.strictObject({ mode: z.literal('default') }),
      z.strictObject({
        mode: z.literal('strict'),
        /** Production takes writes for so long after it has last reached the DR Region. */
        tenureSeconds: seconds.max(900),
        /** From the end of a tenure until the guard has fenced production at the latest: its minute, and the fence. */
        fenceSeconds: seconds.max(900),
      }),
    ]),
    /** Looks in a row, a minute apart, in which a signal must be down to count as lost. */
    looks: z.number().int().min(2).max(15),
    /** A switchover is refused where the replica is further behind: its last bytes come while nobody can write. */
    gracefulLagSeconds: seconds,
    /** What only the lost Region could answer counts as it was before; older than this it is unknown. */
    readinessAgeSeconds: seconds,
    /** SSM parameter of each Region: base URL of the application in the other one. */
    peerUrlParameter: z.string(),
    /** What the cluster that takes over is brought to. */
    standby: z.strictObject({
      nodegroup: z.string(),
      nodes: z.number().int().positive(),
      replicas: z.number().int().positive(),
    }),
  }),
  validation: z.strictObject({
    /** Every piece of work ends within this; at most 600. */
    pieceSeconds: seconds.max(600),
    /** A gate that is planned to take longer is refused before it begins. */
    gateSeconds: seconds,
    concurrency: z.number().int().min(1).max(40),
    /** Planning figure: bytes that one piece scans in a second. */
    scanBytesPerSecond: z.number().int().positive(),
    /** Table → fraction of the baseline's rows that must be there (0..1). */
    rowFloors: z.record(z.string(), z.number().min(0).max(1)),
    /** Append-only tables (name → key column): rows up to the baseline's key must hash the same. */
    appendOnly: z.record(z.string(), z.string()),
    queries: z.array(ValidationQuery),
    performance: z.strictObject({
      warmUpRequests: z.number().int().nonnegative(),
      requests: z.number().int().positive(),
      p95Milliseconds: z.number().positive(),
      /** Refused when p95 exceeds the stored baseline by this factor. */
      baselineFactor: z.number().min(1),
    }),
  }),
  backup: z.strictObject({
    /** hh:mm, UTC: when the day's backup begins. */
    dailyAt: z.string().regex(/^\d\d:\d\d$/),
    /** Days of which a good backup is kept, in each Region. */
    kept: z.number().int().positive(),
    /** After its time, a day without a good backup is late, and later missed. */
    lateSeconds: seconds,
    missedSeconds: seconds,
    /** A newest dump that is older rings. */
    dumpSeconds: seconds,
    /** RDS's own backups: how many days they must reach back. */
    automatedRetentionDays: z.number().int().min(1).max(35),
    /** What the other Region gets of the active database besides snapshots. */
    regionProtection: z.enum(['replica', 'automated-backups']),
    /** Kubernetes namespaces whose manifests are exported. */
    namespaces: z.array(z.string()).min(1),
    /** SSM parameter with the Git commit that is deployed. */
    commitParameter: z.string(),
    /** Keys of the Terraform states in each Region's state bucket. */
    terraformStates: z.array(z.string()).min(1),
  }),
  cluster: z.strictObject({
    /** SSM parameter with the URL of the Git repository that holds Terraform and the manifests. */
    repositoryParameter: z.string(),
    /** DynamoDB table of Terraform's locks, by this name in each Region. */
    lockTable: z.string(),
    primary: Blueprint,
    dr: Blueprint,
    /** A cluster beside production's, with a state of its own. */
    drill: Blueprint,
    /** Where drills make it; without, in production's account. */
    drillAccount: DrillAccount.optional(),
    /** Address of the database in Terraform's state: what a cut-over leaves to be imported anew. */
    databaseAddress: z.string().regex(/^[^\s"']+$/, 'must be a resource address such as aws_db_instance.this[0]'),
  }),
  automatic: z.strictObject({
    /** What an alarm may do: record and tell (off), start and ask (ask), start (auto). */
    database: z.enum(['off', 'ask', 'auto']),
    cluster: z.enum(['off', 'ask', 'auto']),
    region: z.enum(['off', 'ask', 'auto']),
    /** It never acts by itself: what differs from Git may be meant. */
    configuration: z.enum(['off', 'ask']),
    cooldownSeconds: seconds,
    /** UTC windows in which triage starts nothing, e.g. { "days": ["SUN"], "from": "03:00", "to": "04:00", "reason": "maintenance" } */
    blockedWindows: z.array(
      z.strictObject({
        days: z.array(z.enum(['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'])).min(1),
        from: z.string().regex(/^\d\d:\d\d$/),
        to: z.string().regex(/^\d\d:\d\d$/),
        reason: z.string(),
      }),
    ),
  }),
  approval: z.strictObject({
    /** How long a recovery waits for a person; then it is declined. */
    timeoutSeconds: seconds,
    /** Whether who started a recovery may approve it. */
    starterMayApprove: z.boolean(),
  }),
  /** Role of the plan → address. Messages address roles. */
  team: z.record(
    z.enum(['DR Coordinator', 'Database Administrator', 'DevOps Engineer', 'Application Developer', 'QA Engineer']),
    z.string(),
  ),
});
export type Settings = z.infer<typeof Settings>;
export type RegionSettings = z.infer<typeof RegionSettings>;
export type ApplicationTarget = z.infer<typeof ApplicationTarget>;
export type Blueprint = z.infer<typeof Blueprint>;
export type DrillAccount = z.infer<typeof DrillAccount>;
export type ApplicationRole = z.infer<typeof ApplicationRole>;
export type ValidationQuery = z.infer<typeof ValidationQuery>;

/** The settings of the Region a function runs in; throws where the Region is neither. */
export function regionSettings(settings: Settings, region: string): RegionSettings {
  if (region === settings.primary.region) return settings.primary;
  if (region === settings.dr.region) return settings.dr;
  throw new Error(`Region ${region} belongs to no stack of ${settings.environment}`);
}

/** The settings of the other Region. */
export const otherRegion = (settings: Settings, { role }: Pick<RegionSettings, 'role'>): RegionSettings =>
  role === 'dr' ? settings.primary : settings.dr;

/** Every secret that a recovery reads, once. */
export function secretNames({ database }: Pick<Settings, 'database'>): string[] {
  const roles = [database.heartbeatRole, database.sentinelRole, ...database.applicationRoles];
  return [...new Set([database.masterSecretName, ...roles.map(({ secretName }) => secretName)])];
}
