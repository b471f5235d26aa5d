/** What RDS chooses where a call does not. */
import { createHash } from 'node:crypto';
import { notImplemented } from '../declare.ts';
import { invalidCombination, invalidValue } from './errors.ts';
import { managedKey } from './keys.ts';
import type { Region, Settings } from './state.ts';

export const defaultGroupName = 'default';
export const family = (engineVersion: string) => `postgres${engineVersion.split('.')[0]}`;
export const defaultParameterGroup = (engineVersion: string) => `default.${family(engineVersion)}`;
export const defaultOptionGroup = (engineVersion: string) => `default:postgres-${engineVersion.split('.')[0]}`;
/** The default VPC's default security group; the embedded cloud has one VPC a Region. */
export const defaultSecurityGroup = (region: Region) =>
  `sg-0${hash(`${region.home.account}${region.home.region}sg`, 16)}`;

const hash = (text: string, length: number) => createHash('sha256').update(text).digest('hex').slice(0, length);

/** Settings of an instance that was asked for nothing in particular. */
export function defaultSettings(region: Region): Settings {
  return {
    DBInstanceClass: 'db.t3.micro',
    AllocatedStorage: 20,
    StorageType: 'gp3',
    MultiAZ: false,
    AvailabilityZone: `${region.home.region}a`,
    PubliclyAccessible: false,
    AutoMinorVersionUpgrade: true,
    LicenseModel: 'postgresql-license',
    NetworkType: 'IPV4',
    StorageEncrypted: false,
    CACertificateIdentifier: 'rds-ca-rsa2048-g1',
    CopyTagsToSnapshot: false,
    DeletionProtection: false,
    MonitoringInterval: 0,
    IAMDatabaseAuthenticationEnabled: false,
    DatabaseInsightsMode: 'standard',
    PerformanceInsightsEnabled: false,
    BackupRetentionPeriod: 1,
    // 30 minutes out of the Region's 8-hour block.
    PreferredBackupWindow: region.home.region === 'us-west-2' ? '10:00-10:30' : '05:00-05:30',
    PreferredMaintenanceWindow: 'sun:12:00-sun:12:30',
    DbInstancePort: 5432,
  };
}

/** The inputs that record a setting under the same or another name. */
interface SettingsInput extends Partial<Omit<{ [K in keyof Settings]: Settings[K] | undefined }, 'DbInstancePort'>> {
  Port?: number | undefined;
  EnableIAMDatabaseAuthentication?: boolean | undefined;
  EnablePerformanceInsights?: boolean | undefined;
}

/** The settings that an input names, checked as far as the API documents limits. */
export function readSettings(region: Region, input: SettingsInput): Partial<Settings> {
  const given = Object.fromEntries(
    Object.keys({ ...defaultSettings(region), ...optionalSettings })
      .map((name) => [name, (input as Record<string, unknown>)[name]])
      .filter(([, value]) => value !== undefined),
  ) as Partial<Settings>;
  if (input.Port !== undefined) given.DbInstancePort = input.Port;
  if (input.EnableIAMDatabaseAuthentication !== undefined) {
    given.IAMDatabaseAuthenticationEnabled = input.EnableIAMDatabaseAuthentication;
  }
  if (input.EnablePerformanceInsights !== undefined) given.PerformanceInsightsEnabled = input.EnablePerformanceInsights;
  if (given.StorageEncrypted && given.KmsKeyId === undefined) given.KmsKeyId = managedKey(region);
  check(given);
  return given;
}

const optionalSettings = {
  Iops: 1,
  StorageThroughput: 1,
  MaxAllocatedStorage: 1,
  KmsKeyId: 1,
  MonitoringRoleArn: 1,
  PerformanceInsightsKMSKeyId: 1,
  PerformanceInsightsRetentionPeriod: 1,
};

function check(given: Partial<Settings>): void {
  const retention = given.BackupRetentionPeriod;
  if (retention !== undefined && !(retention >= 0 && retention <= 35)) {
    throw invalidValue(`Invalid backup retention period: ${retention}. Retention period must be between 0 and 35.`);
  }
  if (given.AllocatedStorage !== undefined && given.AllocatedStorage < 5) {
    throw invalidValue(
      `Invalid storage size for engine name postgres and storage type ${given.StorageType ?? 'gp3'}: ${given.AllocatedStorage}`,
    );
  }
  if (given.DBInstanceClass !== undefined && !/^db\.[a-z0-9-]+\.[a-z0-9]+$/.test(given.DBInstanceClass)) {
    throw invalidValue(`Invalid DB Instance class: ${given.DBInstanceClass}`);
  }
  if (given.MonitoringInterval && given.MonitoringRoleArn === undefined) {
    throw invalidCombination(
      'A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.',
    );
  }
  if (given.PreferredBackupWindow !== undefined && !/^\d\d:\d\d-\d\d:\d\d$/.test(given.PreferredBackupWindow)) {
    throw invalidValue(`Invalid backup window format: ${given.PreferredBackupWindow}`);
  }
  if (
    given.PreferredMaintenanceWindow !== undefined &&
    !/^([a-z]{3}:\d\d:\d\d)-([a-z]{3}:\d\d:\d\d)$/i.test(given.PreferredMaintenanceWindow)
  ) {
    throw invalidValue(`Invalid maintenance window format: ${given.PreferredMaintenanceWindow}`);
  }
}

/** RDS's rules for instance identifiers; they are case-insensitive and kept in lower case. */
export function readIdentifier(name: string, value: string | undefined, maximum = 63): string {
  if (value === undefined || value.length > maximum || !/^[a-z](-?[a-z0-9])*$/i.test(value)) {
    throw invalidValue(
      `The parameter ${name} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.`,
    );
  }
  return value.toLowerCase();
}

export function checkEngine(
  engineVersion: string,
  input: { Engine?: string | undefined; EngineVersion?: string | undefined; OptionGroupName?: string | undefined },
): void {
  if (input.Engine !== undefined && input.Engine !== 'postgres')
    throw notImplemented(`the engine ${input.Engine}, only postgres`);
  if (
    input.EngineVersion !== undefined &&
    input.EngineVersion !== engineVersion &&
    input.EngineVersion !== engineVersion.split('.')[0]
  ) {
    throw invalidCombination(
      `Cannot find version ${input.EngineVersion} for postgres (the embedded cloud runs ${engineVersion})`,
    );
  }
  if (input.OptionGroupName !== undefined && input.OptionGroupName !== defaultOptionGroup(engineVersion)) {
    throw notImplemented(`option groups but ${defaultOptionGroup(engineVersion)}`);
  }
}
