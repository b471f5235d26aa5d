/** Production: the plan's objectives (RTO 1 h, RPO 15 min, automated backups 30 days) and STOCKER Pro's names. */
import { type Configuration, parseConfiguration } from './schema.ts';
import { applicationsOf, databaseOf, team, validation } from './shared.ts';

export const production: Configuration = parseConfiguration({
  environment: 'production',
  account: '111122223333',
  primary: {
    region: 'us-east-1',
    vpcId: 'vpc-0a1b2c3d4e5f60001',
    privateSubnetIds: ['subnet-0a1b2c3d4e5f60001', 'subnet-0a1b2c3d4e5f60002'],
    functionSecurityGroupId: 'sg-0a1b2c3d4e5f60001',
    isolatedSecurityGroupId: 'sg-0a1b2c3d4e5f60002',
    databaseSecurityGroupIds: ['sg-0a1b2c3d4e5f60003'],
    databaseSubnetGroup: 'stocker-pro-production',
    databaseParameterGroup: 'stocker-pro-production',
    dumpBucket: 'stocker-pro-production-dumps-us-east-1',
  },
  dr: {
    region: 'us-west-2',
    vpcId: 'vpc-0a1b2c3d4e5f70001',
    privateSubnetIds: ['subnet-0a1b2c3d4e5f70001', 'subnet-0a1b2c3d4e5f70002'],
    functionSecurityGroupId: 'sg-0a1b2c3d4e5f70001',
    isolatedSecurityGroupId: 'sg-0a1b2c3d4e5f70002',
    databaseSecurityGroupIds: ['sg-0a1b2c3d4e5f70003'],
    databaseSubnetGroup: 'stocker-pro-production',
    databaseParameterGroup: 'stocker-pro-production',
    dumpBucket: 'stocker-pro-production-dumps-us-west-2',
  },
  objectives: { rtoSeconds: 3600, rpoSeconds: 900, dailyBackupsKept: 7, automatedBackupRetentionDays: 30 },
  database: {
    ...databaseOf('production'),
    regionProtection: 'replica',
    backupWindow: '05:30-06:00',
    maintenanceWindow: 'sun:06:30-sun:07:00',
    expectedRestoreSeconds: 1800,
  },
  ...applicationsOf('production'),
  validation: {
    ...validation,
    pieceSeconds: 300,
    gateSeconds: 900,
    performance: { warmUpRequests: 50, requests: 200, p95Milliseconds: 250, baselineFactor: 2 },
  },
  automatic: { database: 'ask', cooldownSeconds: 3600, blockedWindows: [] },
  approval: { timeoutSeconds: 900, starterMayApprove: true },
  team,
  traffic: { hostedZoneName: 'stocker-pro.example.com', recordName: 'api.stocker-pro.example.com', ttlSeconds: 60 },
  schedules: { heartbeatMinutes: 1, sentinelMinutes: 5, databaseDrill: 'cron(0 4 1 * ? *)' },
  logRetentionDays: 365,
  approverRoleArns: ['arn:aws:iam::111122223333:role/stocker-dr-approver'],
});
