import { describe, expect, it } from 'vitest';
import { rawStatement, roleOf, rolesOf, whoMay } from './roles.ts';
import { describeRules, only, type Rule, resourcesOf, type Stack, stacks, targetOf } from './stacks.ts';

const rds = ({ region, configuration }: Stack, resource: string) =>
  `arn:aws:rds:${region}:${configuration.account}:${resource}`;
const production = (stack: Stack) => rds(stack, `db:${stack.configuration.database.identifier}`);
const drill = (stack: Stack) => rds(stack, `db:dr-drill-${stack.configuration.database.identifier}-0a1b2c3d`);
const stranger = (stack: Stack) => rds(stack, 'db:billing');
const tag = 'aws:ResourceTag/stocker-dr:environment';
const ours = ({ environment }: Stack) => ({ [tag]: environment });
/** What a recovery makes beside production. */
const recovered = (stack: Stack) => rds(stack, `db:${stack.configuration.database.identifier}-0a1b2c3d`);
const modifiers = ['database/configure-database', 'database/fence-database', 'database/protect-database'];
/** After a cut-over production bears a name of this kind: its protection is repaired under that one, too. */
const repairersOf = (stack: Stack, made: string) => (made === recovered(stack) ? ['backup/assure-protection'] : []);
const modifiersOf = (stack: Stack, made: string) => [...repairersOf(stack, made), ...modifiers];
const deleters = ['database/tear-down', 'incident/clean-up-stopped'];
const allowEverything = { Effect: 'Allow', Action: 'rds:*', Resource: '*' };

/** Statements that mention a pattern, as `role: text`. */
const mentioning = (stack: Stack, wanted: (text: string) => boolean, part: 'Action' | 'Resource' = 'Resource') =>
  rolesOf(stack).flatMap(({ name, statements }) =>
    statements.flatMap((statement) =>
      statement[part]
        .filter(wanted)
        .map((text) => ({ name, text, statement, told: `${name}: ${statement.Sid} ${text}` })),
    ),
  );

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

/** Looks see both Regions, each bearing that one is silent; no recovery calls them. */
const looks = ['databases', 'records', 'keys', 'secrets', 'quotas', 'permissions', 'subscriptions'];
/**
 * What looks at the Region that production is in, or leaves, from the other one. Of a failover only the fence does, as well as
 * it can, and what undoes it; the rest is of a failback, for which both are there.
 */
const acrossRegions = [
  'incident/clean-up-stopped',
  'incident/compensate',
  'region/assess-home',
  'region/await-next-replica',
  'region/fence-primary',
  'region/make-home-replica',
  'region/make-next-replica',
  'region/probe-primary',
];
/** A backup is in both Regions, and is made and judged while both are there; no recovery calls these. */
const bothRegions = [
  ...looks.map((source) => `readiness/look-at-${source}`),
  ...[
    'take-snapshot',
    'copy-snapshot',
    'await-copy',
    'verify-backup',
    'keep-snapshots',
    'assure-protection',
    'export-cluster',
    'check-configuration',
    'start-proof',
  ].map((name) => `backup/${name}`),
];
const backup = (stack: Stack, region = stack.region) =>
  `arn:aws:rds:${region}:${stack.configuration.account}:snapshot:dr-backup-${stack.configuration.database.identifier}-20261128-020000`;
const otherRegion = ({ role, configuration }: Stack) =>
  role === 'dr' ? configuration.primary.region : configuration.dr.region;

describeRules('permissions', [
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
    case: 'only configure-database and protect-database may modify an instance, under prefix and tag',
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
  {
    case: 'who sees states and secrets in order to compare versions may read neither; Terraform reads its own state',
    find: (stack) => {
      const { terraformStateBucket } = stack.configuration[stack.role];
      const { masterSecretName } = stack.configuration.database;
      const secret = `arn:aws:secretsmanager:${stack.region}:${stack.configuration.account}:secret:${masterSecretName}-aBcDeF`;
      return [
        ...whoMay(
          stack,
          's3:GetObject',
          `arn:aws:s3:::${terraformStateBucket}/${stack.environment}/terraform.tfstate`,
        ).filter((name) => name !== 'cluster/jobs'),
        ...whoMay(stack, 'secretsmanager:GetSecretValue', secret).filter((name) => name.startsWith('backup/')),
      ];
    },
    broken: (stack) => {
      rawStatement(stack, 'backup/check-configuration', 'SeeSecretVersions').Action = 'secretsmanager:GetSecretValue';
    },
  },
  {
    case: 'no action is a wildcard, but in a Deny',
    find: (stack) =>
      mentioning(stack, (action) => action.includes('*'), 'Action')
        .filter(({ statement }) => statement.Effect === 'Allow')
        .map(({ told }) => told),
    broken: (stack) => {
      rawStatement(stack, 'database/assess-database', 'Timeline').Action = 'dynamodb:*';
    },
  },
  {
    case: 'no Allow for every resource but where an action has no resource type',
    find: (stack) =>
      mentioning(stack, (resource) => resource === '*')
        .filter(({ statement }) => statement.Effect === 'Allow')
        .filter(({ statement }) =>
          statement.Action.some(
            (action) =>
              !/^(xray:|logs:|ec2:|cloudwatch:(PutMetricData|GetMetricStatistics)|servicequotas:|route53:ListHostedZonesByName$)/.test(
                action,
              ),
          ),
        )
        .map(({ told }) => told),
    broken: (stack) => {
      rawStatement(stack, 'database/set-credentials', 'ReadSecrets').Resource = '*';
    },
  },
  {
    case: 'the other Region is named by the control table, the look-up of executions and the answer to one that waits alone',
    find: (stack) => {
      const { primary, dr, account } = stack.configuration;
      const elsewhere = stack.role === 'dr' ? primary.region : dr.region;
      const permitted = [
        `arn:aws:dynamodb:${dr.region}:${account}:table/stocker-dr-${stack.environment}-control`,
        `arn:aws:states:${elsewhere}:${account}:execution:stocker-dr-${stack.environment}-*`,
        // An approval is answered from the DR Region to the execution that waits, wherever it runs.
        `arn:aws:states:${elsewhere}:${account}:stateMachine:stocker-dr-${stack.environment}-*`,
      ];
      return mentioning(stack, (resource) => resource.includes(elsewhere) && !permitted.includes(resource))
        .filter(({ name }) => !bothRegions.includes(name) && !acrossRegions.includes(name))
        .map(({ told }) => told);
    },
    broken: (stack) => {
      const { primary, dr } = stack.configuration;
      rawStatement(stack, 'database/cut-over', 'WriteParameters').Resource =
        `arn:aws:ssm:${stack.role === 'dr' ? primary.region : dr.region}:1:parameter/x`;
    },
  },
  {
    case: 'the lease is held by those who take, release and clean up; the active database is written by registering, by the cut-over, and by those who undo a fence',
    find: (stack) => {
      const table = `arn:aws:dynamodb:${stack.configuration.dr.region}:${stack.configuration.account}:table/stocker-dr-${stack.environment}-control`;
      const writers = (key: string) => whoMay(stack, 'dynamodb:PutItem', table, { 'dynamodb:LeadingKeys': key });
      return [
        ...writers('lease').filter(
          (name) =>
            ![
              'incident/clean-up-stopped',
              'incident/close-incident',
              'incident/report-refusal',
              'incident/take-lease',
            ].includes(name),
        ),
        ...writers('active-database').filter(
          (name) =>
            ![
              'database/register-database',
              'database/cut-over',
              'database/fence-source',
              'region/fence-primary',
              'incident/compensate',
              'incident/clean-up-stopped',
            ].includes(name),
        ),
      ];
    },
    broken: (stack) => void delete rawStatement(stack, 'incident/take-lease', 'HoldLease').Condition,
  },
  {
    case: 'accept-request reads only: a refused request touched nothing',
    find: (stack) =>
      roleOf(stack, 'incident/accept-request').statements.flatMap(({ Action }) =>
        Action.filter((action) => !/:(Get|Describe|List|Query)|^(logs|xray):/.test(action)),
      ),
    broken: (stack) => {
      rawStatement(stack, 'incident/accept-request', 'ReadControl').Action = 'dynamodb:PutItem';
    },
  },
  {
    case: 'secrets are read by name, no more of them than the function’s work needs',
    find: (stack) => {
      const { database } = stack.configuration;
      const secret = (name: string) =>
        `arn:aws:secretsmanager:${stack.region}:${stack.configuration.account}:secret:${name}-aBcDeF`;
      const readers = whoMay(stack, 'secretsmanager:GetSecretValue', secret(database.masterSecretName));
      return [
        ...readers.filter((name) => ['database/write-heartbeat', 'database/look-for-damage'].includes(name)),
        ...whoMay(stack, 'secretsmanager:GetSecretValue', secret('stocker-pro/other')),
      ];
    },
    broken: (stack) => {
      rawStatement(stack, 'database/write-heartbeat', 'ReadSecrets').Resource =
        `arn:aws:secretsmanager:${stack.region}:${stack.configuration.account}:secret:*`;
    },
  },
  {
    case: 'only the approval function may answer a task token',
    find: (stack) =>
      whoMay(
        stack,
        'states:SendTaskSuccess',
        `arn:aws:states:${stack.region}:${stack.configuration.account}:stateMachine:stocker-dr-${stack.environment}-database-recovery`,
      ).filter((name) => name !== 'incident/decide-approval'),
    broken: (stack) => {
      rawStatement(stack, 'incident/triage-alarm', 'StartRecovery').Action = [
        'states:StartExecution',
        'states:SendTaskSuccess',
      ];
    },
  },
  {
    case: 'the machine calls its own steps and no other function',
    find: (stack) => {
      const machine = only(stack, 'AWS::StepFunctions::StateMachine', ({ StateMachineName }) =>
        String(StateMachineName).endsWith('-database-recovery'),
      ).properties;
      const steps = Object.values(machine.DefinitionSubstitutions)
        .filter((value) => typeof value !== 'string')
        .map(targetOf);
      return roleOf(stack, 'the state machine database-recovery')
        .statements.filter(({ Action }) => Action.includes('lambda:InvokeFunction'))
        .flatMap(({ Resource }) => Resource)
        .filter((resource) => !steps.includes(targetOf(resource)));
    },
    broken: (stack) => {
      rawStatement(stack, 'the state machine database-recovery', 'CallSteps').Resource = '*';
    },
  },
]);

describe('every function’s role', () => {
  it.each(stacks)('is looked at in $name', (stack) => {
    // Beside the functions': those of six machines, of the schedules of five areas, and of the jobs of three projects.
    expect(rolesOf(stack).length).toBe(resourcesOf(stack, 'AWS::Lambda::Function').length + 14);
  });
  it.each(stacks)('may do its own work in $name', (stack) => {
    expect(whoMay(stack, 'rds:ModifyDBInstance', drill(stack), ours(stack))).toEqual(modifiers);
    expect(whoMay(stack, 'rds:ModifyDBInstance', recovered(stack), ours(stack))).toEqual(
      modifiersOf(stack, recovered(stack)),
    );
    expect(whoMay(stack, 'rds:DeleteDBInstance', drill(stack), ours(stack))).toEqual(deleters);
  });
});
