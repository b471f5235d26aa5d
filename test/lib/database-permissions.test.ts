/** Who may do what to databases, their snapshots and their dumps. */
import { deleters, drill, modifiersOf, ours, rds, recovered, repairersOf, tag } from './databases.ts';
import { rawStatement, roleOf, whoMay } from './roles.ts';
import { describeRules, type Rule, type Stack } from './stacks.ts';

const production = (stack: Stack) => rds(stack, `db:${stack.configuration.database.identifier}`);
const stranger = (stack: Stack) => rds(stack, 'db:billing');
const allowEverything = { Effect: 'Allow', Action: 'rds:*', Resource: '*' };

/** Production's database can be changed by nobody, however it is tagged. */
const untouchable = [
  'rds:DeleteDBInstance',
  'rds:ModifyDBInstance',
  'rds:AddTagsToResource',
  'rds:RemoveTagsFromResource',
  'rds:StopDBInstance',
  'rds:RebootDBInstance',
];
/** Drift of the retention of automated backups is repaired: by one function, which does nothing else. */
const repairs: Readonly<Record<string, string>> = { 'rds:ModifyDBInstance': 'backup/assure-protection' };
const neverProduction: readonly Rule[] = untouchable.map((action) => ({
  case: `nobody${action in repairs ? ` but ${repairs[action]}` : ''} may ${action} production, even tagged as ours`,
  find: (stack) =>
    whoMay(stack, action, production(stack), {
      ...ours(stack),
      'aws:RequestTag/stocker-dr:environment': stack.environment,
    }).filter((name) => name !== repairs[action]),
  broken: (stack) => {
    const { id } = roleOf(stack, 'database/await-available');
    stack.template.Resources[id]?.Properties.Policies[0].PolicyDocument.Statement.push(allowEverything);
  },
}));

const backup = (stack: Stack, region = stack.region) =>
  `arn:aws:rds:${region}:${stack.configuration.account}:snapshot:dr-backup-${stack.configuration.database.identifier}-20261128-020000`;
const otherRegion = ({ role, configuration }: Stack) =>
  role === 'dr' ? configuration.primary.region : configuration.dr.region;

describeRules('permissions on databases', [
  ...neverProduction,
  {
    case: 'who deletes is denied production explicitly, so that no later Allow can open it',
    find: (stack) =>
      deleters.filter((name) => {
        const open = structuredClone(stack);
        rawStatement(open, name, 'DeleteDrill').Resource = '*';
        delete rawStatement(open, name, 'DeleteDrill').Condition;
        return whoMay(open, 'rds:DeleteDBInstance', production(open)).includes(name);
      }),
    broken: (stack) => {
      rawStatement(stack, 'database/tear-down', 'NeverProduction').Resource = 'arn:aws:rds:::db:none';
    },
  },
  {
    case: 'only tear-down and clean-up-stopped may delete, under prefix and tag',
    find: (stack) => {
      const delete_ = (resource: string, conditions?: Record<string, string>) =>
        whoMay(stack, 'rds:DeleteDBInstance', resource, conditions);
      return [
        ...(`${delete_(drill(stack), ours(stack))}` === `${deleters}`
          ? []
          : [`${delete_(drill(stack), ours(stack))} may delete`]),
        ...delete_(drill(stack)).map((name) => `${name} may delete an untagged instance`),
        ...delete_(drill(stack), { [tag]: 'another' }).map(
          (name) => `${name} may delete another environment's instance`,
        ),
        ...delete_(stranger(stack), ours(stack)).map((name) => `${name} may delete outside the prefix`),
      ];
    },
    broken: (stack) => void delete rawStatement(stack, 'database/tear-down', 'DeleteDrill').Condition,
  },
  {
    case: 'who repairs the protection of production may modify it under its own names, and no neighbour',
    find: (stack) => {
      const { identifier } = stack.configuration.database;
      const may = (name: string) => whoMay(stack, 'rds:ModifyDBInstance', rds(stack, `db:${name}`));
      const neighbours = [`${identifier}-analytics`, `${identifier}2`, 'dr-drill-0a1b2c3d', `${identifier}-old`];
      return [
        ...[identifier, `${identifier}-0a1b2c3d`]
          .filter((name) => `${may(name)}` !== 'backup/assure-protection')
          .map((name) => `${name} is modified by ${may(name)}`),
        ...neighbours.flatMap((name) => may(name).map((who) => `${who} may modify ${name}`)),
      ];
    },
    broken: (stack) => {
      rawStatement(stack, 'backup/assure-protection', 'RaiseRetention').Resource = `${production(stack)}*`;
    },
  },
  {
    case: 'only few may modify an instance, under prefix and tag: who configures, fences or protects it, and gives a replica its parameters',
    find: (stack) => [
      ...[drill(stack), recovered(stack)].flatMap((made) => [
        ...whoMay(stack, 'rds:ModifyDBInstance', made, ours(stack)).filter(
          (name) => !modifiersOf(stack, made).includes(name),
        ),
        ...whoMay(stack, 'rds:ModifyDBInstance', made).filter((name) => !repairersOf(stack, made).includes(name)),
      ]),
      ...whoMay(stack, 'rds:ModifyDBInstance', stranger(stack), ours(stack)),
    ],
    broken: (stack) => void delete rawStatement(stack, 'database/configure-database', 'ModifyRestored').Condition,
  },
  {
    case: 'a replica of ours is rebooted into the parameters of its Region by who awaits it, in either Region, and nothing else',
    find: (stack) => {
      const reboot = (resource: string, conditions?: Record<string, string>) =>
        whoMay(stack, 'rds:RebootDBInstance', resource, conditions);
      return (['primary', 'dr'] as const).flatMap((role) => {
        const { region, databaseParameterGroup } = stack.configuration[role];
        const there = (resource: string) => rds(stack, resource).replace(stack.region, region);
        const replica = there(`db:${stack.configuration.database.identifier}-0a1b2c3d`);
        const awaits = role === stack.role ? 'region/await-replica' : 'region/await-next-replica';
        const gives = whoMay(stack, 'rds:ModifyDBInstance', there(`pg:${databaseParameterGroup}`)).includes(awaits);
        return [
          ...(`${reboot(replica, ours(stack))}` === awaits ? [] : [`${replica} is not rebooted by ${awaits} alone`]),
          ...(gives ? [] : [`${awaits} may not give ${databaseParameterGroup}`]),
          ...reboot(replica).map((name) => `${name} may reboot what is not tagged`),
          ...[drill(stack), stranger(stack)].flatMap((other) => reboot(other, ours(stack))),
        ];
      });
    },
    broken: (stack) => void delete rawStatement(stack, 'region/await-replica', 'EquipReplica').Condition,
  },
  {
    case: 'a restore has its option, parameter and subnet group and the automated backup beside the instances',
    find: (stack) => {
      const { databaseParameterGroup, databaseSubnetGroup } = stack.configuration[stack.role];
      const presented = [
        drill(stack),
        production(stack),
        ...[
          'og:default:postgres-17',
          `pg:${databaseParameterGroup}`,
          `subgrp:${databaseSubnetGroup}`,
          'auto-backup:ab-x',
          'snapshot:x',
        ].map((resource) => rds(stack, resource)),
      ];
      return ['rds:RestoreDBInstanceToPointInTime', 'rds:RestoreDBInstanceFromDBSnapshot'].flatMap((action) =>
        presented
          .filter((resource) => `${whoMay(stack, action, resource)}` !== 'database/restore-database')
          .map((resource) => `${action} ${resource}`),
      );
    },
    // What a demo policy grants, and what is denied mid-disaster (aws-facts).
    broken: (stack) => {
      rawStatement(stack, 'database/restore-database', 'RestoreDatabase').Resource = rds(stack, 'db:*');
    },
  },
  {
    case: 'a restore goes to the drill prefix or beside production only',
    find: (stack) => whoMay(stack, 'rds:RestoreDBInstanceToPointInTime', stranger(stack)),
    broken: (stack) => {
      rawStatement(stack, 'database/restore-database', 'RestoreDatabase').Resource = '*';
    },
  },
  {
    case: 'an empty instance is made by a restore alone, under the drill prefix or beside production',
    find: (stack) => {
      const create = (resource: string) => whoMay(stack, 'rds:CreateDBInstance', resource);
      return [
        ...[drill(stack), recovered(stack)]
          .filter((made) => `${create(made)}` !== 'database/restore-database')
          .map((made) => `${create(made)} may create ${made}`),
        ...[production(stack), stranger(stack)].flatMap(create),
      ];
    },
    broken: (stack) => {
      rawStatement(stack, 'database/restore-database', 'CreateEmpty').Resource = '*';
    },
  },
  {
    case: 'dumps are read by jobs and the check of the newest alone, and looked for by those who check and plan',
    find: (stack) => {
      const { dumpBucket } = stack.configuration[stack.role];
      const reads = whoMay(stack, 's3:GetObject', `arn:aws:s3:::${dumpBucket}/backups/stocker-db.sql.gz`);
      const looks = whoMay(stack, 's3:ListBucket', `arn:aws:s3:::${dumpBucket}`, { 's3:prefix': 'backups/x' });
      return [
        ...whoMay(stack, 's3:GetObject', `arn:aws:s3:::${dumpBucket}/secret`),
        ...whoMay(stack, 's3:ListBucket', `arn:aws:s3:::${dumpBucket}`, { 's3:prefix': '' }),
        ...whoMay(stack, 's3:PutObject', `arn:aws:s3:::${dumpBucket}/backups/stocker-db.sql.gz`),
        ...(`${reads}` === 'backup/check-dump,database/jobs' ? [] : [`read by ${reads}`]),
        ...(`${looks}` ===
        'backup/check-dump,backup/start-proof,database/assess-database,database/jobs,incident/accept-request'
          ? []
          : [`seen by ${looks}`]),
      ];
    },
    broken: (stack) => void delete rawStatement(stack, 'database/assess-database', 'FindDumps').Condition,
  },
  {
    case: 'only keep-snapshots may delete a snapshot, in both Regions, under prefix and tag',
    find: (stack) => {
      const delete_ = (resource: string, conditions?: Record<string, string>) =>
        whoMay(stack, 'rds:DeleteDBSnapshot', resource, conditions);
      return [
        ...[stack.region, otherRegion(stack)].flatMap((region) => [
          ...(`${delete_(backup(stack, region), ours(stack))}` === 'backup/keep-snapshots' ? [] : [`not in ${region}`]),
          ...delete_(backup(stack, region)).map((name) => `${name} may delete an untagged snapshot`),
          ...delete_(backup(stack, region), { [tag]: 'another' }).map((name) => `${name} may delete another's`),
        ]),
        ...['snapshot:by-hand', 'snapshot:dr-safety-0a1b2c3d'].flatMap((resource) =>
          delete_(rds(stack, resource), ours(stack)),
        ),
      ];
    },
    broken: (stack) => void delete rawStatement(stack, 'backup/keep-snapshots', 'DeleteBackups').Condition,
  },
  {
    case: 'a backup is taken of production to its own prefix, and copied to the same prefix of the other Region',
    find: (stack) => {
      const take = (resource: string) => whoMay(stack, 'rds:CreateDBSnapshot', resource);
      const copy = (resource: string) => whoMay(stack, 'rds:CopyDBSnapshot', resource);
      return [
        ...(`${take(backup(stack))}` === 'backup/take-snapshot' ? [] : [`taken by ${take(backup(stack))}`]),
        ...(take(production(stack)).includes('backup/take-snapshot') ? [] : ['not of production']),
        ...take(stranger(stack)),
        ...[stack.region, otherRegion(stack)]
          .filter((region) => `${copy(backup(stack, region))}` !== 'backup/copy-snapshot')
          .map((region) => `not copied in ${region}`),
        ...copy(rds(stack, 'snapshot:by-hand')),
      ];
    },
    broken: (stack) => {
      rawStatement(stack, 'backup/copy-snapshot', 'CopyBackup').Resource = rds(stack, 'snapshot:*');
    },
  },
]);
