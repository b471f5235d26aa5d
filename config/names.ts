/** Physical names. They are derived, not configured: the two stacks refer to each other by name alone (no cross-Region references). */
import type { Settings } from '../core/settings.ts';
import type { Configuration, Network } from './schema.ts';

export const prefixOf = (configuration: Pick<Configuration, 'environment'>) =>
  `stocker-dr-${configuration.environment}`;

export { kubernetesGroup } from '../core/cluster/access.ts';

/** Names that both stacks and every client agree on. */
export function namesOf(configuration: Configuration) {
  const prefix = prefixOf(configuration);
  return {
    prefix,
    incidentTable: `${prefix}-incidents`,
    controlTable: `${prefix}-control`,
    evidenceBucket: (region: string) => `${prefix}-evidence-${configuration.account}-${region}`,
    internalTopic: `${prefix}-internal`,
    customersTopic: `${prefix}-customers`,
    /** Of CloudFormation. */
    stack: (region: string) => `StockerDr-${configuration.environment}-${region}`,
    stateMachine: (name: string) => `${prefix}-${name}`,
    /** `database/restore-database` → `stocker-dr-production-database-restore-database` */
    lambda: (path: string) => `${prefix}-${path.replace('/', '-')}`,
    /** `database` → `/aws/lambda/stocker-dr-production-database` */
    areaLogs: (area: string) => `/aws/lambda/${prefix}-${area}`,
    /** `database` → `stocker-dr-production-database-job` */
    jobProject: (area: string) => `${prefix}-${area}-job`,
    schedule: (name: string) => `${prefix}-${name}`,
    alarm: (name: string) => `${prefix}-${name}`,
    topicArn: (region: string, name: string) => `arn:aws:sns:${region}:${configuration.account}:${name}`,
    stateMachineArn: (region: string, name: string) =>
      `arn:aws:states:${region}:${configuration.account}:stateMachine:${prefix}-${name}`,
  };
}

/** hh:mm of a cron with a fixed time of day, which is what findConflicts lets pass. */
function timeOfDay(cron: string): string {
  const [, minute = '0', hour = '0'] = /^cron\((\d+) (\d+) /.exec(cron) ?? [];
  return `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
}

/** The part of the configuration that the functions carry with them. */
export function settingsOf(configuration: Configuration): Settings {
  const names = namesOf(configuration);
  const region = (network: Network, role: 'primary' | 'dr') => ({
    region: network.region,
    role,
    incidentTable: names.incidentTable,
    evidenceBucket: names.evidenceBucket(network.region),
    internalTopicArn: names.topicArn(network.region, names.internalTopic),
    customersTopicArn: names.topicArn(network.region, names.customersTopic),
    dumpBucket: network.dumpBucket,
    backupKeyAlias: network.backupKeyAlias,
    terraformStateBucket: network.terraformStateBucket,
    databaseSubnetGroup: network.databaseSubnetGroup,
    databaseParameterGroup: network.databaseParameterGroup,
    databaseSecurityGroupIds: network.databaseSecurityGroupIds,
    isolatedSecurityGroupId: network.isolatedSecurityGroupId,
  });
  const {
    identifier,
    name,
    port,
    masterSecretName,
    heartbeatRole,
    sentinelRole,
    applicationRoles,
    schemaVersionSql,
    dumpPrefix,
    drillPrefix,
  } = configuration.database;
  return {
    environment: configuration.environment,
    account: configuration.account,
    objectives: { rtoSeconds: configuration.objectives.rtoSeconds, rpoSeconds: configuration.objectives.rpoSeconds },
    primary: region(configuration.primary, 'primary'),
    dr: region(configuration.dr, 'dr'),
    controlTable: names.controlTable,
    database: {
      identifier,
      name,
      port,
      masterSecretName,
      heartbeatRole,
      sentinelRole,
      applicationRoles,
      schemaVersionSql,
      dumpPrefix,
      drillPrefix,
    },
    application: configuration.application,
    canary: configuration.canary,
    validation: configuration.validation,
    backup: {
      ...configuration.backup,
      dailyAt: timeOfDay(configuration.schedules.backup),
      kept: configuration.objectives.dailyBackupsKept,
      automatedRetentionDays: configuration.objectives.automatedBackupRetentionDays,
      regionProtection: configuration.database.regionProtection,
    },
    traffic: configuration.traffic,
    region: configuration.region,
    cluster: configuration.cluster,
    automatic: configuration.automatic,
    approval: configuration.approval,
    team: configuration.team,
  };
}
