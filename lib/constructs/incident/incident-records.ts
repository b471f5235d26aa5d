import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { namesOf } from '../../../config/names.ts';
import type { Configuration } from '../../../config/schema.ts';

/** What every Region keeps of its incidents: the table, the evidence bucket, the topics and the key that guards them. */
export class IncidentRecords extends Construct {
  readonly key: kms.Key;
  readonly table: dynamodb.Table;
  readonly evidence: s3.Bucket;
  readonly internalTopic: sns.Topic;
  readonly customersTopic: sns.Topic;

  constructor(scope: Construct, id: string, configuration: Configuration, region: string) {
    super(scope, id);
    const names = namesOf(configuration);
    this.key = this.topicKey(names.prefix);
    this.table = new dynamodb.Table(this, 'Table', {
      tableName: names.incidentTable,
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
      timeToLiveAttribute: 'ttl',
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.evidence = new s3.Bucket(this, 'Evidence', {
      bucketName: names.evidenceBucket(region),
      versioned: true,
      // Retention is set per object by whoever must keep evidence; the ability cannot be added later.
      objectLockEnabled: true,
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(this.evidence).acknowledge({
      id: 'AwsSolutions::AwsSolutions-S1',
      reason:
        'Access to evidence is in CloudTrail data events; a second bucket of access logs would need guarding in turn.',
    });
    this.internalTopic = this.topic('InternalTopic', names.internalTopic, `STOCKER DR ${configuration.environment}`);
    this.admitAlarms(`arn:aws:cloudwatch:${region}:${configuration.account}:alarm:${names.prefix}-*`);
    this.customersTopic = this.topic('CustomersTopic', names.customersTopic, 'STOCKER Pro status');
    new sns.Subscription(this, 'Coordinator', {
      topic: this.internalTopic,
      protocol: sns.SubscriptionProtocol.EMAIL,
      endpoint: configuration.team['DR Coordinator'],
    });
  }

  /** A topic policy of one's own, such as enforceSSL's, replaces SNS's default one, by which this account's alarms may publish. */
  private admitAlarms(alarmArns: string): void {
    this.internalTopic.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'AlarmsPublish',
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.internalTopic.topicArn],
        conditions: { ArnLike: { 'aws:SourceArn': alarmArns } },
      }),
    );
  }

  /** A customer-managed key: topics under alias/aws/sns silently drop what alarms and EventBridge publish (aws-facts). */
  private topicKey(prefix: string): kms.Key {
    const key = new kms.Key(this, 'Key', {
      alias: `alias/${prefix}`,
      description: 'Encrypts the topics of STOCKER disaster recovery',
      enableKeyRotation: true,
      pendingWindow: Duration.days(30),
      removalPolicy: RemovalPolicy.RETAIN,
    });
    key.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'AlarmsPublish',
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:GenerateDataKey*', 'kms:Decrypt'],
        resources: ['*'],
      }),
    );
    return key;
  }

  private topic(id: string, topicName: string, displayName: string): sns.Topic {
    return new sns.Topic(this, id, { topicName, displayName, masterKey: this.key, enforceSSL: true });
  }
}
