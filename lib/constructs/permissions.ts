/** What a function may be allowed, statement by statement. Everything is bound to names and tags; nothing is AWS-managed. */
import { Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import type { Configuration } from '../../config/schema.ts';
import { lookPermissionsOf } from './readiness/look-permissions.ts';
import { type Permission, statementsOf } from './statements.ts';

/** Adds permissions to a role, and their reasons to the validation report. */
export function grant(role: iam.Role, permissions: readonly Permission[], on: IConstruct = role): void {
  for (const { statement } of permissions) role.addToPolicy(statement);
  explain(permissions, on);
}

/** Why each wildcard is as narrow as can be, for the validation report. */
export function explain(permissions: readonly Permission[], on: IConstruct): void {
  for (const { statement, wildcard } of permissions) {
    if (wildcard === undefined) continue;
    for (const resource of statement.resources.filter((each) => each.includes('*')))
      Validations.of(on).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::${resource}]`,
        reason: wildcard,
      });
  }
}

/** The statements of one stack: `region` is where its functions run. */
export function permissionsOf(configuration: Configuration, region: string) {
  const { names, network, other, arn, allow, leadingKey, reading, prefixed } = statementsOf(configuration, region);
  const { account, database } = configuration;
  const look = lookPermissionsOf(configuration, region);
  const controlTable = arn('dynamodb', `table/${names.controlTable}`, configuration.dr.region);
  /** What a recovery makes beside the production instance of that moment: the base identifier and a suffix of its own. */
  const recovered = arn('rds', `db:${database.identifier}-*`);
  const safetySnapshot = arn('rds', 'snapshot:dr-safety-*');
  const drill = arn('rds', `db:${database.drillPrefix}*`);
  /**
   * Production by its ARNs: as Terraform made it, as a recovery of ours named its successor, or the replica that a
   * failover made it. No neighbour fits.
   */
  const production = [database.identifier, `${database.identifier}-????????`, database.replicaIdentifier].map((name) =>
    arn('rds', `db:${name}`),
  );
  const backupSnapshots = [region, other.region].map((each) => arn('rds', 'snapshot:dr-backup-*', each));
  const [backupHere = '', backupElsewhere = ''] = backupSnapshots;
  const parameterArn = (name: string) => arn('ssm', `parameter${name}`);
  const secretArn = (name: string) => arn('secretsmanager', `secret:${name}-??????`);

  const ours = { 'aws:ResourceTag/stocker-dr:environment': configuration.environment };
  const databaseKeys = 'Keys of databases belong to Terraform; only RDS may use them, for its own resources.';

  /** Only what a recovery or drill of this environment made; which incident's it is, the step reads from its tag. */
  const modifyRestored = () =>
    allow('ModifyRestored', ['rds:ModifyDBInstance'], [drill, recovered], {
      conditions: { StringEquals: ours },
      wildcard: prefixed,
    });
  /** Enhanced Monitoring: whoever names its role in a call passes it on. */
  const passMonitoringRole = () =>
    allow('PassMonitoringRole', ['iam:PassRole'], [`arn:aws:iam::${account}:role/${database.monitoringRoleName}`], {
      conditions: { StringEquals: { 'iam:PassedToService': 'monitoring.rds.amazonaws.com' } },
    });
  return {
    ...look,
    /** The incident table of this Region: every step writes its own line of the timeline. */
    timeline: () =>
      allow(
        'Timeline',
        ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query'],
        [arn('dynamodb', `table/${names.incidentTable}`)],
      ),
    readTimeline: () => allow('ReadTimeline', ['dynamodb:GetItem'], [arn('dynamodb', `table/${names.incidentTable}`)]),
    readControl: () => allow('ReadControl', ['dynamodb:GetItem'], [controlTable]),
    holdLease: () =>
      allow('HoldLease', ['dynamodb:PutItem', 'dynamodb:DeleteItem'], [controlTable], leadingKey('lease')),
    /** The first record, every cut-over after it, and every undo that comes before one: one conditional write. */
    writeActiveDatabase: () =>
      allow('WriteActiveDatabase', ['dynamodb:PutItem'], [controlTable], leadingKey('active-database')),
    /** What a cut-over leaves to Terraform, and what closes it. */
    recordDebt: () => allow('RecordDebt', ['dynamodb:PutItem'], [controlTable], leadingKey('terraform-debt')),
    askApproval: () => allow('AskApproval', ['dynamodb:PutItem'], [controlTable], leadingKey('approval#*')),
    seeExecutions: () =>
      allow(
        'SeeExecutions',
        ['states:DescribeExecution'],
        [configuration.primary.region, configuration.dr.region].map((each) =>
          arn('states', `execution:${names.prefix}-*`, each),
        ),
        { wildcard: prefixed },
      ),
    startRecovery: (...machines: readonly string[]) =>
      allow(
        'StartRecovery',
        ['states:StartExecution'],
        machines.map((machine) => arn('states', `stateMachine:${names.stateMachine(machine)}`)),
      ),
    /** A drill gives way to a recovery, in whichever Region each runs. */
    stopDrill: () =>
      allow(
        'StopDrill',
        ['states:StopExecution'],
        [configuration.primary.region, configuration.dr.region].map((each) =>
          arn('states', `execution:${names.prefix}-*`, each),
        ),
        { wildcard: prefixed },
      ),
    /** Records the decision, and hands it to the execution that waits: in whichever Region it runs. */
    answerApproval: () => [
      allow('DecideApproval', ['dynamodb:UpdateItem'], [controlTable], leadingKey('approval#*')),
      allow(
        'AnswerApproval',
        ['states:SendTaskSuccess'], // a refusal is an answer too
        [configuration.primary.region, configuration.dr.region].map((each) =>
          arn('states', `stateMachine:${names.prefix}-*`, each),
        ),
        { wildcard: 'Any state machine of this environment may ask for an approval.' },
      ),
    ],
    seeAlarms: () =>
      allow('SeeAlarms', ['cloudwatch:DescribeAlarms'], ['*'], {
        wildcard:
          'With a scope narrower than * DescribeAlarms tells nothing of composite alarms (CloudWatch API reference): a lost Region is one.',
      }),
    putMetrics: () =>
      allow('PutMetrics', ['cloudwatch:PutMetricData'], ['*'], {
        conditions: { StringEquals: { 'cloudwatch:namespace': 'StockerDr' } },
        wildcard: 'PutMetricData has no resource type; the namespace is the bound.',
      }),
    announce: () => allow('Announce', ['sns:Publish'], [names.topicArn(region, names.internalTopic)]),
    tellCustomers: () => allow('TellCustomers', ['sns:Publish'], [names.topicArn(region, names.customersTopic)]),
    /** Publishing to an encrypted topic needs its key. */
    useTopicKey: (keyArn: string) => allow('UseTopicKey', ['kms:GenerateDataKey', 'kms:Decrypt'], [keyArn]),
    keepEvidence: () =>
      allow('KeepEvidence', ['s3:PutObject', 's3:GetObject'], [`arn:aws:s3:::${names.evidenceBucket(region)}/*`], {
        wildcard: 'Objects of the evidence bucket are named by incident.',
      }),
    seeDatabases: () =>
      allow(
        'SeeDatabases',
        [
          'rds:DescribeDBInstances',
          'rds:DescribeDBSnapshots',
          'rds:DescribeDBInstanceAutomatedBackups',
          'rds:DescribeDBParameters',
          'rds:ListTagsForResource',
        ],
        ['db:*', 'snapshot:*', 'auto-backup:*', 'pg:*'].map((resource) => arn('rds', resource)),
        { wildcard: reading },
      ),
    /** Why RDS gave an instance up. */
    seeDatabaseEvents: () =>
      allow('SeeDatabaseEvents', ['rds:DescribeEvents'], ['*'], { wildcard: 'DescribeEvents has no resource type.' }),
    findDumps: () =>
      allow('FindDumps', ['s3:ListBucket'], [`arn:aws:s3:::${network.dumpBucket}`], {
        conditions: { StringLike: { 's3:prefix': `${database.dumpPrefix}*` } },
      }),
    /** Terraform's bucket may have a key of its own, which S3 uses for whoever reads. */
    readDumps: () => [
      allow('ReadDumps', ['s3:GetObject'], [`arn:aws:s3:::${network.dumpBucket}/${database.dumpPrefix}*`], {
        wildcard: 'Dumps are named by their time.',
      }),
      allow('UseDumpKey', ['kms:Decrypt'], [arn('kms', 'key/*')], {
        conditions: {
          StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com`, 'kms:CallerAccount': account },
        },
        wildcard: 'The key of the bucket belongs to Terraform; only S3 may use it, for what the role may read.',
      }),
    ],
    /** A restore presents the instance, its groups and the backup it reads; `db` alone is denied in the disaster (aws-facts). */
    restoreDatabase: () => [
      allow(
        'RestoreDatabase',
        ['rds:RestoreDBInstanceToPointInTime', 'rds:RestoreDBInstanceFromDBSnapshot'],
        [
          drill,
          arn('rds', `db:${database.identifier}*`),
          arn('rds', 'og:default:*'),
          arn('rds', `pg:${network.databaseParameterGroup}`),
          arn('rds', `subgrp:${network.databaseSubnetGroup}`),
          arn('rds', 'auto-backup:*'),
          arn('rds', 'snapshot:*'),
        ],
        { wildcard: 'To the drill prefix or beside production; the source, its backups and snapshots are read.' },
      ),
      // The empty instance that a dump fills.
      allow(
        'CreateEmpty',
        ['rds:CreateDBInstance'],
        [
          drill,
          recovered,
          arn('rds', 'og:default:*'),
          arn('rds', `pg:${network.databaseParameterGroup}`),
          arn('rds', `subgrp:${network.databaseSubnetGroup}`),
        ],
        { wildcard: prefixed },
      ),
      allow('TagRestored', ['rds:AddTagsToResource'], [drill, recovered], {
        conditions: { StringEquals: { 'aws:RequestTag/stocker-dr:environment': configuration.environment } },
        wildcard: prefixed,
      }),
    ],
    /**
     * RDS uses a customer-managed key on behalf of whoever restores or modifies, and demands both
     * (RDS User Guide: Overview.Encryption.Keys). Which keys those are is Terraform's; only RDS may be the one that uses them.
     */
    useDatabaseKeys: (at: string = region) => [
      allow(at === region ? 'SeeDatabaseKeys' : 'SeeKeysElsewhere', ['kms:DescribeKey'], [arn('kms', 'key/*', at)], {
        conditions: { StringEquals: { 'kms:ViaService': `rds.${at}.amazonaws.com` } },
        wildcard: databaseKeys,
      }),
      allow(
        at === region ? 'GrantDatabaseKeys' : 'GrantKeysElsewhere',
        ['kms:CreateGrant'],
        [arn('kms', 'key/*', at)],
        {
          conditions: {
            StringEquals: { 'kms:ViaService': `rds.${at}.amazonaws.com` },
            Bool: { 'kms:GrantIsForAWSResource': 'true' },
          },
          wildcard: databaseKeys,
        },
      ),
    ],
    modifyRestored,
    /** Settings that a restore cannot set, too. */
    configureRestored: () => [modifyRestored(), passMonitoringRole()],
    passMonitoringRole,
    keepSafetySnapshot: () => [
      allow('SafetySnapshot', ['rds:CreateDBSnapshot'], [arn('rds', `db:${database.identifier}*`), safetySnapshot], {
        wildcard: 'Of production, under whichever identifier it runs, to the safety prefix only.',
      }),
      allow('TagSafetySnapshot', ['rds:AddTagsToResource'], [safetySnapshot], {
        conditions: { StringEquals: { 'aws:RequestTag/stocker-dr:environment': configuration.environment } },
        wildcard: prefixed,
      }),
    ],
    /** Identifier prefix and tag, and an explicit Deny on production: a tag alone is no guard (aws-facts). */
    deleteDrill: (): Permission[] => [
      allow('DeleteDrill', ['rds:DeleteDBInstance'], [drill], {
        conditions: { StringEquals: ours },
        wildcard: prefixed,
      }),
      {
        statement: new iam.PolicyStatement({
          sid: 'NeverProduction',
          effect: iam.Effect.DENY,
          actions: [
            'rds:DeleteDBInstance',
            'rds:ModifyDBInstance',
            'rds:AddTagsToResource',
            'rds:RemoveTagsFromResource',
          ],
          resources: [arn('rds', `db:${database.identifier}*`)],
        }),
        wildcard: 'A Deny, as wide as it can be.',
      },
    ],
    /** Runs, proofs and what the last one saw. */
    readBackups: () => allow('ReadBackups', ['dynamodb:Query'], [arn('dynamodb', `table/${names.incidentTable}`)]),
    recordBackup: () => allow('RecordBackup', ['dynamodb:PutItem'], [arn('dynamodb', `table/${names.incidentTable}`)]),
    takeBackup: () => [
      allow('TakeBackup', ['rds:CreateDBSnapshot'], [...production, backupHere], {
        wildcard: 'Of production, to the prefix of backups only.',
      }),
      allow('TagBackup', ['rds:AddTagsToResource'], [backupHere], {
        conditions: { StringEquals: { 'aws:RequestTag/stocker-dr:environment': configuration.environment } },
        wildcard: prefixed,
      }),
    ],
    /** Called in the other Region; the call that RDS demands of the source's Region goes with it, and is decided there. */
    copyBackup: () => [
      allow('CopyBackup', ['rds:CopyDBSnapshot'], backupSnapshots, { wildcard: prefixed }),
      allow('TagCopy', ['rds:AddTagsToResource'], [backupElsewhere], {
        conditions: { StringEquals: { 'aws:RequestTag/stocker-dr:environment': configuration.environment } },
        wildcard: prefixed,
      }),
    ],
    /** Identifier prefix and tag; the code reads resource id and tags again before it deletes. */
    deleteBackups: () =>
      allow('DeleteBackups', ['rds:DeleteDBSnapshot'], backupSnapshots, {
        conditions: { StringEquals: ours },
        wildcard: prefixed,
      }),
    seeBackupsElsewhere: () =>
      allow(
        'SeeBackupsElsewhere',
        ['rds:DescribeDBSnapshots', 'rds:DescribeDBInstanceAutomatedBackups', 'rds:ListTagsForResource'],
        ['snapshot:*', 'auto-backup:*', 'db:*'].map((resource) => arn('rds', resource, other.region)),
        { wildcard: reading },
      ),
    /** Which key an alias stands for. */
    resolveBackupKeys: () =>
      allow(
        'ResolveBackupKeys',
        ['kms:DescribeKey'],
        [region, other.region].map((each) => arn('kms', 'key/*', each)),
        { wildcard: 'Keys are known by alias; DescribeKey tells what a key is, and uses it for nothing.' },
      ),
    /**
     * The one way in which production is modified: the retention of its automated backups is raised (ADR 0025). RDS has no
     * condition key for it (Service Authorization Reference: Amazon RDS), so that the code alone keeps it to that.
     */
    protectProduction: () => [
      allow('RaiseRetention', ['rds:ModifyDBInstance'], production),
      allow(
        'ReplicateBackups',
        ['rds:StartDBInstanceAutomatedBackupsReplication'],
        [...production, arn('rds', 'auto-backup:*', other.region)],
        { wildcard: 'RDS names the backup.' },
      ),
    ],
    keepClusterState: () =>
      allow(
        'KeepClusterState',
        ['s3:PutObject'],
        [region, other.region].map((each) => `arn:aws:s3:::${names.evidenceBucket(each)}/backups/cluster-state/*`),
        { wildcard: 'Exports are named by run and namespace.' },
      ),
    /** That they are there, and which version: none of these reads what they hold. */
    seeConfiguration: (...secretNames: readonly string[]) => [
      look.seeTerraformStates(network, other),
      look.seeSecretVersions(...secretNames),
      look.seeImages(other.region),
    ],
    readSecrets: (...secretNames: readonly string[]) =>
      allow('ReadSecrets', ['secretsmanager:GetSecretValue'], secretNames.map(secretArn)),
    readParameters: (...parameterNames: readonly string[]) =>
      allow('ReadParameters', ['ssm:GetParameter'], parameterNames.map(parameterArn)),
    writeParameters: (...parameterNames: readonly string[]) =>
      allow('WriteParameters', ['ssm:PutParameter'], parameterNames.map(parameterArn)),
    /** Kubernetes decides what the role may do in the cluster, by its access entry. */
    findCluster: (...clusters: readonly string[]) =>
      allow(
        'FindCluster',
        ['eks:DescribeCluster'],
        clusters.map((cluster) => arn('eks', `cluster/${cluster}`)),
      ),
  };
}
export type Permissions = ReturnType<typeof permissionsOf>;
