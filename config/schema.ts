/**
 * The configuration of one environment: the plan's numbers and this installation's names. What cannot meet its own
 * objectives is refused here, at synth, with the reason and the fix.
 */
import * as z from 'zod';
import { ApplicationTarget, Settings } from '../core/settings.ts';
import { findConflicts } from './conflicts.ts';

const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be an AWS Region such as us-east-1');

/** Terraform owns the network and the database; these are their names in one Region. */
export const Network = z.strictObject({
  region,
  /** Holds the subnets and the groups. */
  vpcId: z.string().startsWith('vpc-'),
  privateSubnetIds: z.array(z.string().startsWith('subnet-')).min(2),
  /** Admits the functions' group only: restored copies start here. */
  isolatedSecurityGroupId: z.string().startsWith('sg-'),
  /** Functions that reach a database or the Kubernetes API run in these. */
  functionSecurityGroupId: z.string().startsWith('sg-'),
  databaseSecurityGroupIds: z.array(z.string().startsWith('sg-')).min(1),
  databaseSubnetGroup: z.string(),
  databaseParameterGroup: z.string(),
  /** The plan's /backups: Terraform's, written by the CronJob. */
  dumpBucket: z.string(),
  /** The key that copies of backups are encrypted with here: `alias/…`. */
  backupKeyAlias: z.string().startsWith('alias/'),
  /** Terraform's state of this Region: its own bucket, versioned. */
  terraformStateBucket: z.string(),
});

export const Configuration = z
  .strictObject({
    environment: Settings.shape.environment,
    account: Settings.shape.account,
    primary: Network,
    dr: Network,
    objectives: z.strictObject({
      rtoSeconds: z.number().int().positive(),
      rpoSeconds: z.number().int().positive(),
      /** Daily backups kept in each Region. */
      dailyBackupsKept: z.number().int().positive(),
      /** RDS automated backups. */
      automatedBackupRetentionDays: z.number().int().min(1).max(35),
    }),
    database: z.strictObject({
      ...Settings.shape.database.shape,
      masterUsername: z.string(),
      /** Role of RDS's Enhanced Monitoring: a restored copy is given the one that its source has. */
      monitoringRoleName: z.string(),
      /** How the DR Region gets its data: a cross-Region read replica, or replicated automated backups. */
      regionProtection: z.enum(['replica', 'automated-backups']),
      /** The read replica in the DR Region, as Terraform names it. */
      replicaIdentifier: Settings.shape.database.shape.identifier,
      /** Daily, UTC, hh:mm-hh:mm, as RDS has it. */
      backupWindow: z.string().regex(/^\d\d:\d\d-\d\d:\d\d$/),
      /** Weekly, UTC, ddd:hh:mm-ddd:hh:mm. */
      maintenanceWindow: z.string().regex(/^[a-z]{3}:\d\d:\d\d-[a-z]{3}:\d\d:\d\d$/),
      /** Planning figure: how long a restore takes until the instance is usable. */
      expectedRestoreSeconds: z.number().int().positive(),
    }),
    application: ApplicationTarget,
    canary: ApplicationTarget,
    validation: Settings.shape.validation,
    backup: Settings.shape.backup.pick({
      lateSeconds: true,
      missedSeconds: true,
      dumpSeconds: true,
      namespaces: true,
      commitParameter: true,
      terraformStates: true,
    }),
    cluster: Settings.shape.cluster,
    automatic: Settings.shape.automatic,
    approval: Settings.shape.approval,
    team: Settings.shape.team,
    traffic: Settings.shape.traffic,
    region: Settings.shape.region,
    schedules: z.strictObject({
      heartbeatMinutes: z.number().int().positive(),
      sentinelMinutes: z.number().int().positive(),
      /** EventBridge Scheduler cron in UTC: the plan's monthly database restore test. */
      databaseDrill: z.string().startsWith('cron('),
      /** The plan's semi-annual failover of the Region. */
      regionDrill: z.string().startsWith('cron('),
      /** The plan's daily backup. */
      backup: z.string().startsWith('cron('),
      /** The weekly proof: the newest backup is restored and validated. */
      backupProof: z.string().startsWith('cron('),
      dumpProof: z.string().startsWith('cron('),
      /** The plan's quarterly cluster recovery test. */
      clusterDrill: z.string().startsWith('cron('),
      /** The zone is recorded, and everything compared with Git. */
      configurationCheck: z.string().startsWith('cron('),
    }),
    logRetentionDays: z.union([z.literal(30), z.literal(90), z.literal(180), z.literal(365)]),
    /** Roles that may call the approval URL, by ARN. */
    approverRoleArns: z.array(z.string().startsWith('arn:aws:iam::')).min(1),
  })
  .superRefine((configuration, context) => {
    for (const conflict of findConflicts(configuration)) {
      context.addIssue({
        code: 'custom',
        path: [...conflict.path],
        message: `${conflict.reason} Fix: ${conflict.fix}`,
      });
    }
  });
export type Configuration = z.infer<typeof Configuration>;
export type Network = z.infer<typeof Network>;

/** Parses a configuration; throws one Error that lists every problem by field. */
export function parseConfiguration(value: unknown): Configuration {
  const parsed = Configuration.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(configuration)'}: ${issue.message}`);
  throw new Error(`This configuration cannot be deployed:\n${lines.join('\n')}`);
}
