import { describe, expect, it } from 'vitest';
import { configurationOf, environments } from '../../config/index.ts';
import { namesOf, settingsOf } from '../../config/names.ts';
import { type Configuration, parseConfiguration } from '../../config/schema.ts';
import { Settings } from '../../core/settings.ts';

const [hour, minute] = [3600, 60];

describe('the numbers of the disaster recovery plan', () => {
  it.each([
    { environment: 'production', rtoSeconds: hour, rpoSeconds: 15 * minute, automatedBackupRetentionDays: 30 },
    { environment: 'staging', rtoSeconds: 4 * hour, rpoSeconds: hour, automatedBackupRetentionDays: 7 },
  ])('$environment keeps RTO, RPO and retention', ({ environment, ...objectives }) => {
    expect(configurationOf(environment).objectives).toEqual({ ...objectives, dailyBackupsKept: 7 });
  });
  it.each(Object.values(environments))('$environment drills monthly and beats within its RPO', (configuration) => {
    const { schedules, objectives } = configuration;
    // minute hour day-of-month month day-of-week year: one day of every month.
    expect(schedules.databaseDrill).toMatch(/^cron\(\d+ \d+ \d+ \* \? \*\)$/);
    expect(schedules.heartbeatMinutes).toBe(1);
    expect(schedules.sentinelMinutes).toBe(5);
    expect(schedules.sentinelMinutes * minute).toBeLessThan(objectives.rpoSeconds);
  });
  it.each(Object.values(environments))('$environment has its Regions, its names and the plan’s team', (each) => {
    expect([each.primary.region, each.dr.region]).toEqual(['us-east-1', 'us-west-2']);
    expect(each.database).toMatchObject({
      identifier: `stocker-pro-${each.environment}`,
      name: 'stocker_db',
      masterUsername: 'stocker',
    });
    expect(each.application.deployment).toMatchObject({
      cluster: `stocker-pro-${each.environment}`,
      namespace: `stocker-${each.environment}`,
    });
    expect(Object.keys(each.team)).toEqual([
      'DR Coordinator',
      'Database Administrator',
      'DevOps Engineer',
      'Application Developer',
      'QA Engineer',
    ]);
  });
  it('an alarm of production starts a recovery that asks; in staging, where people break databases on purpose, it tells', () => {
    expect(environments.production?.automatic.database).toBe('ask');
    expect(environments.staging?.automatic.database).toBe('off');
  });
  it.each(Object.values(environments))('$environment answers silence before its RTO is over', (each) => {
    expect(each.approval.starterMayApprove).toBe(true);
    expect(each.approval.timeoutSeconds).toBeLessThanOrEqual(each.objectives.rtoSeconds);
  });
  it('the two environments share no account and drill on different days', () => {
    const all = Object.values(environments);
    expect(new Set(all.map(({ account }) => account)).size).toBe(all.length);
    expect(new Set(all.map(({ schedules }) => schedules.databaseDrill)).size).toBe(all.length);
  });
});

describe('an unknown', () => {
  const production = configurationOf('production');
  it.each<{ case: string; given: object; message: string }>([
    { case: 'field', given: { ...production, colour: 'red' }, message: 'Unrecognized key: "colour"' },
    {
      case: 'field further in',
      given: { ...production, database: { ...production.database, retries: 3 } },
      message: 'database: Unrecognized key: "retries"',
    },
    {
      case: 'role of the team',
      given: { ...production, team: { ...production.team, Barista: 'b@company.com' } },
      message: 'team',
    },
    {
      case: 'role of an account of drills',
      given: {
        ...production,
        cluster: { ...production.cluster, drillAccount: { id: '9999', roleArn: 'drill', stateBuckets: {} } },
      },
      message: 'cluster.drillAccount.roleArn: must be the ARN of a role',
    },
    { case: 'log retention', given: { ...production, logRetentionDays: 31 }, message: 'logRetentionDays' },
  ])('$case is refused', ({ given, message }) => {
    expect(() => parseConfiguration(given)).toThrow(message);
  });
  it('environment is refused, naming those that exist', () => {
    expect(() => configurationOf('qa')).toThrow('There is no environment "qa". Give one of: production, staging.');
  });
});

describe.each(Object.values(environments))('what the functions of $environment carry', (configuration) => {
  const settings = settingsOf(configuration);
  it('parses as Settings and is the same after a round trip through JSON', () => {
    expect(Settings.parse(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
  });
  it('holds nothing that only a deployment needs', () => {
    const text = JSON.stringify(settings);
    for (const name of ['privateSubnetIds', 'functionSecurityGroupId', 'approverRoleArns', 'logRetentionDays'])
      expect(text).not.toContain(name);
  });
  it('names each Region’s own resources', () => {
    for (const role of ['primary', 'dr'] as const) {
      const { region } = configuration[role];
      expect(settings[role]).toMatchObject({ region, role });
      expect(settings[role].internalTopicArn).toContain(`:${region}:${configuration.account}:`);
      expect(settings[role].evidenceBucket).toContain(region);
    }
  });
});

describe.each(Object.values(environments))('names of $environment', (configuration: Configuration) => {
  const names = namesOf(configuration);
  it('all begin with the prefix that policies are bound to', () => {
    const made = [
      names.incidentTable,
      names.controlTable,
      names.evidenceBucket('us-east-1'),
      names.internalTopic,
      names.customersTopic,
      names.stateMachine('database-recovery'),
      names.lambda('database/restore-database'),
      names.schedule('heartbeat'),
      names.alarm('database-heartbeat-missing'),
    ];
    for (const name of made) expect(name).toMatch(new RegExp(`^stocker-dr-${configuration.environment}-`));
  });
  it('fit where AWS takes them', () => {
    expect(names.lambda('validation/validate-performance').length).toBeLessThanOrEqual(64);
    expect(names.evidenceBucket('ap-southeast-2').length).toBeLessThanOrEqual(63);
    expect(names.stateMachine('configuration-recovery').length).toBeLessThanOrEqual(80);
  });
});
