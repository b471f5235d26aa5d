/** Staging: the plan's objectives (RTO 4 h, RPO 1 h, automated backups 7 days) and STOCKER Pro's names. */
import { type Configuration, parseConfiguration } from './schema.ts';
import { applicationsOf, databaseOf, team, validation } from './shared.ts';

export const staging: Configuration = parseConfiguration({
  environment: 'staging',
  account: '444455556666',
  primary: {
    region: 'us-east-1',
    vpcId: 'vpc-0b1b2c3d4e5f60001',
    privateSubnetIds: ['subnet-0b1b2c3d4e5f60001', 'subnet-0b1b2c3d4e5f60002'],
    functionSecurityGroupId: 'sg-0b1b2c3d4e5f60001',
    isolatedSecurityGroupId: 'sg-0b1b2c3d4e5f60002',
    databaseSecurityGroupIds: ['sg-0b1b2c3d4e5f60003'],
    databaseSubnetGroup: 'stocker-pro-staging',
    databaseParameterGroup: 'stocker-pro-staging',
    dumpBucket: 'stocker-pro-staging-dumps-us-east-1',
  },
  dr: {
    region: 'us-west-2',
    vpcId: 'vpc-0b1b2c3d4e5f70001',
    privateSubnetIds: ['subnet-0b1b2c3d4e5f70001', 'subnet-0b1b2c3d4e5f70002'],
    functionSecurityGroupId: 'sg-0b1b2c3d4e5f70001',
    isolatedSecurityGroupId: 'sg-0b1b2c3d4e5f70002',
    databaseSecurityGroupIds: ['sg-0b1b2c3d4e5f70003'],
    databaseSubnetGroup: 'stocker-pro-staging',
    databaseParameterGroup: 'stocker-pro-staging',
    dumpBucket: 'stocker-pro-staging-dumps-us-west-2',
  },
  objectives: { rtoSeconds: 14400, rpoSeconds: 3600, dailyBackupsKept: 7, automatedBackupRetentionDays: 7 },
  database: {
    ...databaseOf('staging'),
    regionProtection: 'automated-backups',
    backupWindow: '05:30-06:00',
    maintenanceWindow: 'sun:06:30-sun:07:00',
    expectedRestoreSeconds: 1800,
  },
  ...applicationsOf('staging'),
  validation: {
    ...validation,
    pieceSeconds: 300,
    gateSeconds: 900,
    performance: { warmUpRequests: 50, requests: 200, p95Milliseconds: 250, baselineFactor: 2 },
  },
  automatic: { database: 'off', cooldownSeconds: 3600, blockedWindows: [] },
  approval: { timeoutSeconds: 3600, starterMayApprove: true },
  team,
  traffic: { hostedZoneName: 'stocker-pro.example.com', recordName: 'api.stocker-pro.example.com', ttlSeconds: 60 },
  schedules: { heartbeatMinutes: 1, sentinelMinutes: 5, databaseDrill: 'cron(0 4 2 * ? *)' },
  logRetentionDays: 90,
  approverRoleArns: ['arn:aws:iam::444455556666:role/stocker-dr-approver'],
});
