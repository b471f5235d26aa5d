/** What a function may be allowed, statement by statement. Everything is bound to names and tags; nothing is AWS-managed. */
import * as iam from 'aws-cdk-lib/aws-iam';
import { namesOf } from '../../config/names.ts';
import type { Configuration } from '../../config/schema.ts';

/** The statements of one stack: `region` is where its functions run. */
export function permissionsOf(configuration: Configuration, region: string) {
  const names = namesOf(configuration);
  const { account, database } = configuration;
  const arn = (service: string, resource: string, inRegion = region) => `arn:aws:${service}:${inRegion}:${account}:${resource}`;
  const allow = (sid: string, actions: string[], resources: string[], conditions?: Record<string, Record<string, unknown>>) =>
    new iam.PolicyStatement({ sid, actions, resources, ...(conditions ? { conditions } : {}) });
  const controlTable = arn('dynamodb', `table/${names.controlTable}`, configuration.dr.region);
  const leadingKey = (key: string) => ({ 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [key] } });
  const drill = arn('rds', `db:${database.drillPrefix}*`);
  const parameterArn = (name: string) => arn('ssm', `parameter${name}`);
  const secretArn = (name: string) => arn('secretsmanager', `secret:${name}-??????`);

  return {
    /** The incident table of this Region: every step writes its own line of the timeline. */
    timeline: () =>
      allow('Timeline', ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query'], [arn('dynamodb', `table/${names.incidentTable}`)]),
    readControl: () => allow('ReadControl', ['dynamodb:GetItem'], [controlTable]),
    holdLease: () => allow('HoldLease', ['dynamodb:PutItem', 'dynamodb:DeleteItem'], [controlTable], leadingKey('lease')),
    registerDatabase: () => allow('RegisterDatabase', ['dynamodb:PutItem'], [controlTable], leadingKey('active-database')),
    seeExecutions: () =>
      allow('SeeExecutions', ['states:DescribeExecution'], [configuration.primary.region, configuration.dr.region].map((each) => arn('states', `execution:${names.prefix}-*`, each))),
    startRecovery: (machine: string) => allow('StartRecovery', ['states:StartExecution'], [arn('states', `stateMachine:${names.stateMachine(machine)}`)]),
    answerApproval: () => allow('AnswerApproval', ['states:SendTaskSuccess', 'states:SendTaskFailure'], [arn('states', `stateMachine:${names.prefix}-*`)]),
    seeAlarms: () => allow('SeeAlarms', ['cloudwatch:DescribeAlarms'], ['*']),
    putMetrics: () => allow('PutMetrics', ['cloudwatch:PutMetricData'], ['*'], { StringEquals: { 'cloudwatch:namespace': 'StockerDr' } }),
    announce: () => allow('Announce', ['sns:Publish'], [names.topicArn(region, names.internalTopic)]),
    /** Publishing to an encrypted topic needs its key. */
    useTopicKey: (keyArn: string) => allow('UseTopicKey', ['kms:GenerateDataKey', 'kms:Decrypt'], [keyArn]),
    keepEvidence: () => allow('KeepEvidence', ['s3:PutObject', 's3:GetObject'], [`arn:aws:s3:::${names.evidenceBucket(region)}/*`]),
    /** RDS describes by list: the actions present every instance. */
    seeDatabases: () =>
      allow('SeeDatabases', ['rds:DescribeDBInstances', 'rds:DescribeDBSnapshots', 'rds:DescribeDBInstanceAutomatedBackups', 'rds:DescribeDBParameters', 'rds:ListTagsForResource'], [
        arn('rds', 'db:*'),
        arn('rds', 'snapshot:*'),
        arn('rds', 'auto-backup:*'),
        arn('rds', 'pg:*'),
      ]),
    /** A restore presents the instance, its groups and the backup it reads; `db` alone is denied in the disaster (aws-facts). */
    restoreDrill: () => [
      allow('RestoreToDrill', ['rds:RestoreDBInstanceToPointInTime', 'rds:RestoreDBInstanceFromDBSnapshot'], [
        drill,
        arn('rds', `db:${database.identifier}*`),
        arn('rds', 'og:default:*'),
        arn('rds', `pg:${configuration.primary.databaseParameterGroup}`),
        arn('rds', `subgrp:${configuration.primary.databaseSubnetGroup}`),
        arn('rds', 'auto-backup:*'),
        arn('rds', 'snapshot:*'),
      ]),
      allow('TagDrill', ['rds:AddTagsToResource'], [drill], { StringEquals: { 'aws:RequestTag/stocker-dr:environment': configuration.environment } }),
    ],
    modifyDrill: () => allow('ModifyDrill', ['rds:ModifyDBInstance'], [drill], { StringEquals: { 'aws:ResourceTag/stocker-dr:environment': configuration.environment } }),
    /** Identifier prefix and tag, and an explicit Deny on production: a tag alone is no guard (aws-facts). */
    deleteDrill: () => [
      allow('DeleteDrill', ['rds:DeleteDBInstance', 'rds:DeleteDBInstanceAutomatedBackup'], [drill, arn('rds', 'auto-backup:*')], {
        StringEquals: { 'aws:ResourceTag/stocker-dr:environment': configuration.environment },
      }),
      new iam.PolicyStatement({
        sid: 'NeverProduction',
        effect: iam.Effect.DENY,
        actions: ['rds:DeleteDBInstance', 'rds:ModifyDBInstance', 'rds:AddTagsToResource', 'rds:RemoveTagsFromResource'],
        resources: [arn('rds', `db:${database.identifier}*`)],
      }),
    ],
    readSecrets: (...secretNames: readonly string[]) => allow('ReadSecrets', ['secretsmanager:GetSecretValue'], secretNames.map(secretArn)),
    readParameters: (...parameterNames: readonly string[]) => allow('ReadParameters', ['ssm:GetParameter'], parameterNames.map(parameterArn)),
    writeParameters: (...parameterNames: readonly string[]) => allow('WriteParameters', ['ssm:PutParameter'], parameterNames.map(parameterArn)),
    /** Kubernetes decides what the role may do in the cluster, by its access entry. */
    findCluster: (...clusters: readonly string[]) => allow('FindCluster', ['eks:DescribeCluster'], clusters.map((cluster) => arn('eks', `cluster/${cluster}`))),
  };
}
export type Permissions = ReturnType<typeof permissionsOf>;
