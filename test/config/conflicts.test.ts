import { describe, expect, it } from 'vitest';
import { type Conflict, findConflicts } from '../../config/conflicts.ts';
import { production } from '../../config/production.ts';
import { type Configuration, parseConfiguration } from '../../config/schema.ts';
import { staging } from '../../config/staging.ts';

type Change = (configuration: Configuration) => void;

const changed = (change: Change): Configuration => {
  const copy = structuredClone(production);
  change(copy);
  return copy;
};
const fieldsOf = (conflicts: readonly Conflict[]) => conflicts.map(({ path }) => path.join('.'));
const drillAccount = {
  id: '999900001111',
  roleArn: 'arn:aws:iam::999900001111:role/stocker-dr-drill',
  stateBuckets: { primary: 'drills-us-east-1', dr: 'drills-us-west-2' },
};
const firstRole = ({ database }: Configuration) => {
  const [role] = database.applicationRoles;
  if (!role) throw new Error('production has an application role');
  return role;
};

describe('a configuration is refused when', () => {
  it.each<{ case: string; field: string; reason: string; fix: string; change: Change }>([
    {
      case: 'the RPO is shorter than what RDS uploads',
      field: 'objectives.rpoSeconds',
      reason: '299 s cannot be met',
      fix: 'at least 300',
      change: ({ objectives }) => {
        objectives.rpoSeconds = 299;
      },
    },
    {
      case: 'the heartbeat is too slow to measure the RPO',
      field: 'schedules.heartbeatMinutes',
      reason: 'every 8 min cannot measure an RPO of 900 s',
      fix: 'half of the RPO',
      change: ({ schedules }) => {
        schedules.heartbeatMinutes = 8;
      },
    },
    {
      case: 'replicated backups are to keep an RPO of 15 minutes',
      field: 'database.regionProtection',
      reason: 'RPO 900 s, RTO 3600 s',
      fix: "use 'replica'",
      change: ({ database }) => {
        database.regionProtection = 'automated-backups';
      },
    },
    {
      case: 'restore and gate outlast the RTO',
      field: 'objectives.rtoSeconds',
      reason: 'need 3601 s, more than the RTO of 3600 s',
      fix: 'raise the RTO, shorten validation.gateSeconds',
      change: ({ database }) => {
        database.expectedRestoreSeconds = 2701;
      },
    },
    {
      case: 'a person may think until the RTO cannot be met any more',
      field: 'approval.timeoutSeconds',
      reason: 'may wait 901 s for a person',
      fix: 'at most 900',
      change: ({ approval }) => {
        approval.timeoutSeconds = 901;
      },
    },
    {
      case: 'one piece may outlast the gate',
      field: 'validation.pieceSeconds',
      reason: 'one piece (300 s) may outlast the whole gate (299 s)',
      fix: 'at most validation.gateSeconds',
      change: ({ validation }) => {
        validation.gateSeconds = 299;
      },
    },
    {
      case: 'resolvers keep the old answer for an hour',
      field: 'traffic.ttlSeconds',
      reason: 'keep the old answer for 3600 s',
      fix: 'at most 60',
      change: ({ traffic }) => {
        traffic.ttlSeconds = 3600;
      },
    },
    {
      case: 'the drill of the Region falls into the backup window',
      field: 'schedules.regionDrill',
      reason: 'backupWindow 05:30-06:00',
      fix: 'move the drill of the Region or the window',
      change: ({ schedules }) => {
        schedules.regionDrill = 'cron(59 5 10 1,7 ? *)';
      },
    },
    {
      case: 'the replica has a name that no role of the recovery may promote',
      field: 'database.replicaIdentifier',
      reason: 'does not begin with stocker-pro-production-',
      fix: 'name it stocker-pro-production-<something>',
      change: ({ database }) => {
        database.replicaIdentifier = 'replica';
      },
    },
    {
      case: 'a record is not in the zone',
      field: 'traffic.drillRecordName',
      reason: 'is not in the zone stocker-pro.example.com',
      fix: 'ends in .stocker-pro.example.com',
      change: ({ traffic }) => {
        traffic.drillRecordName = 'drill.example.org';
      },
    },
    {
      case: 'a drill would shift the record of production',
      field: 'traffic.drillRecordName',
      reason: 'is the name of traffic.recordName',
      fix: 'a name of its own',
      change: ({ traffic }) => {
        traffic.drillRecordName = traffic.recordName;
      },
    },
    {
      case: 'a failover by itself would write records in the Region that is lost',
      field: 'traffic.strategy',
      reason: 'which is in us-east-1',
      fix: "use 'health-check'",
      change: ({ traffic }) => {
        traffic.strategy = 'change-record-sets';
      },
    },
    {
      case: 'a tenure is so short that one failed renewal would stop production',
      field: 'region.fencing.tenureSeconds',
      reason: 'one failed call would stop it',
      fix: 'at least 120',
      change: ({ region }) => {
        region.fencing = { mode: 'strict', tenureSeconds: 119, fenceSeconds: 120 };
      },
    },
    {
      case: 'the guard is given no time to fence',
      field: 'region.fencing.fenceSeconds',
      reason: 'the guard looks once a minute',
      fix: 'at least 120',
      change: ({ region }) => {
        region.fencing = { mode: 'strict', tenureSeconds: 120, fenceSeconds: 119 };
      },
    },
    {
      case: 'waiting for the end of a tenure leaves no time for the rest',
      field: 'region.fencing.tenureSeconds',
      reason: 'then 1801 s for the end of the tenure and the fence; with 900 s for restore and gate',
      fix: 'raise the RTO',
      change: ({ region }) => {
        region.fencing = { mode: 'strict', tenureSeconds: 901, fenceSeconds: 900 };
      },
    },
    {
      case: 'the DR Region is the primary Region',
      field: 'dr.region',
      reason: 'the primary Region, us-east-1',
      fix: 'another Region',
      change: (configuration) => {
        configuration.dr.region = 'us-east-1';
      },
    },
    {
      case: 'production bears the drill prefix',
      field: 'database.drillPrefix',
      reason: 'stocker-pro-production begins with the drill prefix stocker-',
      fix: 'dr-drill-',
      change: ({ database }) => {
        database.drillPrefix = 'stocker-';
      },
    },
    {
      case: 'the application logs in as the master user',
      field: 'database.applicationRoles.0',
      reason: 'the master user stocker, so a fence cannot hold',
      fix: 'a role of its own',
      change: (configuration) => {
        firstRole(configuration).name = 'stocker';
      },
    },
    {
      case: 'the application uses the master secret',
      field: 'database.applicationRoles.0',
      reason: 'a fence cannot hold',
      fix: 'a role of its own',
      change: (configuration) => {
        firstRole(configuration).secretName = configuration.database.masterSecretName;
      },
    },
    {
      case: 'the drill has no fixed time of day',
      field: 'schedules.databaseDrill',
      reason: 'no fixed time of day',
      fix: 'cron(0 4 1 * ? *)',
      change: ({ schedules }) => {
        schedules.databaseDrill = 'cron(* * 1 * ? *)';
      },
    },
    {
      case: 'the drill falls into the backup window',
      field: 'schedules.databaseDrill',
      reason: 'backupWindow 05:30-06:00',
      fix: 'move the drill or the window',
      change: ({ schedules }) => {
        schedules.databaseDrill = 'cron(59 5 1 * ? *)';
      },
    },
    {
      case: 'the drill falls into a backup window that passes midnight',
      field: 'schedules.databaseDrill',
      reason: 'backupWindow 23:45-04:15',
      fix: 'move the drill or the window',
      change: ({ database, schedules }) => {
        database.backupWindow = '23:45-04:15';
        schedules.backup = 'cron(0 22 * * ? *)';
        schedules.backupProof = 'cron(0 22 ? * SUN *)';
        schedules.dumpProof = 'cron(0 22 ? * SAT *)';
        schedules.regionDrill = 'cron(0 22 10 1,7 ? *)';
      },
    },
    ...(
      [
        ['id', { id: production.account, roleArn: `arn:aws:iam::${production.account}:role/drill` }, 'own account'],
        ['roleArn', { roleArn: 'arn:aws:iam::123123123123:role/drill' }, 'is a role of account 123123123123'],
        [
          'stateBuckets.dr',
          { stateBuckets: { primary: 'drills-east', dr: production.primary.terraformStateBucket } },
          'production’s Terraform state',
        ],
      ] as const
    ).map(([field, change, reason]) => ({
      case: `an account of drills that is none of its own, by ${field}`,
      field: `cluster.drillAccount.${field}`,
      reason,
      fix: 'account',
      change: ({ cluster }: Configuration) => {
        cluster.drillAccount = { ...drillAccount, ...change };
      },
    })),
    {
      case: 'the backup falls into the maintenance window',
      field: 'schedules.backup',
      reason: 'maintenanceWindow sun:01:30-sun:02:01',
      fix: 'move the backup or the window',
      change: ({ database }) => {
        database.maintenanceWindow = 'sun:01:30-sun:02:01';
      },
    },
    {
      case: 'the proof falls into the backup window',
      field: 'schedules.backupProof',
      reason: 'backupWindow 02:30-03:01',
      fix: 'move the proof of the backup or the window',
      change: ({ database, schedules }) => {
        database.backupWindow = '02:30-03:01';
        schedules.dumpProof = 'cron(0 7 ? * SAT *)';
      },
    },
    {
      case: 'the proof of the dump falls into the backup window',
      field: 'schedules.dumpProof',
      reason: 'backupWindow 07:00-07:30',
      fix: 'move the proof of the dump or the window',
      change: ({ database, schedules }) => {
        database.backupWindow = '07:00-07:30';
        schedules.dumpProof = 'cron(15 7 ? * SAT *)';
      },
    },
    {
      case: 'the backup has no fixed time of day',
      field: 'schedules.backup',
      reason: 'no fixed time of day',
      fix: 'cron(0 2 * * ? *)',
      change: ({ schedules }) => {
        schedules.backup = 'cron(0 */6 * * ? *)';
      },
    },
    {
      case: 'the backup is not daily',
      field: 'schedules.backup',
      reason: 'not every day',
      fix: 'cron(<minute> <hour> * * ? *)',
      change: ({ schedules }) => {
        schedules.backup = 'cron(0 2 ? * MON-FRI *)';
      },
    },
    {
      case: 'a backup is missed before it is late',
      field: 'backup.missedSeconds',
      reason: 'missed after 7200 s, before it is late (7200 s)',
      fix: 'above backup.lateSeconds',
      change: ({ backup }) => {
        backup.missedSeconds = backup.lateSeconds;
      },
    },
    {
      case: 'the drill falls into the maintenance window',
      field: 'schedules.databaseDrill',
      reason: 'maintenanceWindow sun:03:30-sun:04:30',
      fix: 'move the drill or the window',
      change: ({ database, schedules }) => {
        database.maintenanceWindow = 'sun:03:30-sun:04:30';
        schedules.regionDrill = 'cron(0 22 10 1,7 ? *)';
      },
    },
  ])('case: $field', ({ field, reason, fix, change }) => {
    const configuration = changed(change);
    const conflicts = findConflicts(configuration);
    expect(fieldsOf(conflicts)).toEqual([field]);
    expect(conflicts[0]?.reason).toContain(reason);
    expect(conflicts[0]?.fix).toContain(fix);
    expect(() => parseConfiguration(configuration)).toThrow(`${field}: ${conflicts[0]?.reason} Fix: `);
  });

  it('two fields conflict, and both are named at once', () => {
    const configuration = changed(({ traffic, dr }) => {
      traffic.ttlSeconds = 300;
      dr.region = 'us-east-1';
    });
    expect(fieldsOf(findConflicts(configuration))).toEqual(['traffic.ttlSeconds', 'dr.region']);
  });
});

describe('a configuration passes', () => {
  it.each([
    { case: 'production', configuration: production },
    { case: 'staging', configuration: staging },
    {
      case: 'a drill that starts as the backup window ends',
      configuration: changed(({ schedules }) => {
        schedules.databaseDrill = 'cron(0 6 1 * ? *)';
      }),
    },
    {
      case: 'an account of drills',
      configuration: changed(({ cluster }) => {
        cluster.drillAccount = drillAccount;
      }),
    },
    {
      case: 'approval, restore and gate that take exactly the RTO',
      configuration: changed(({ database, approval }) => {
        database.expectedRestoreSeconds = 2400;
        approval.timeoutSeconds = 300;
      }),
    },
    {
      case: 'replicated backups under objectives that they can keep',
      configuration: changed(({ database, objectives }) => {
        database.regionProtection = 'automated-backups';
        objectives.rpoSeconds = 1800;
        objectives.rtoSeconds = 7200;
      }),
    },
  ])('$case', ({ configuration }) => {
    expect(findConflicts(configuration)).toEqual([]);
    expect(parseConfiguration(configuration)).toEqual(configuration);
  });
});
