/** boto3's calls in every protocol, what answers them, and what it makes of the answers. */

/** What it is answered, by service and operation. */
// biome-ignore lint/suspicious/noExplicitAny: inputs of many operations
export const outputs: Record<string, (input: any) => Record<string, unknown>> = {
  'rds:DescribeDBInstances': ({ Filters }) => ({ DBInstances: [{ DBInstanceIdentifier: Filters[0].Values[1] }] }),
  'ec2:DescribeSecurityGroups': ({ GroupIds }) => ({ SecurityGroups: [{ GroupId: GroupIds[0], Description: 'd' }] }),
  'sfn:DescribeExecution': ({ executionArn }) => ({ executionArn, status: 'RUNNING', startDate: new Date(1e12) }),
  'cloudwatch:DescribeAlarms': ({ AlarmNames }) => ({ MetricAlarms: [{ AlarmName: AlarmNames[0] }] }),
  'lambda:Invoke': ({ Payload }) => ({ StatusCode: 200, Payload }),
  'eks:DescribeCluster': ({ name }) => ({ cluster: { name } }),
  'sns:Publish': ({ MessageAttributes }) => ({ MessageId: MessageAttributes.k.StringValue }),
  's3:GetObject': ({ Bucket, Key }) => ({ Body: `${Bucket}|${Key}` }),
  's3:PutObject': ({ Body, Metadata }) => ({ ETag: `"${Buffer.from(Body)}-${Metadata.a}"` }),
  's3:CopyObject': ({ CopySource }) => ({ CopyObjectResult: { ETag: CopySource } }),
  's3:GetBucketLocation': () => ({ LocationConstraint: 'us-west-2' }),
  's3:ListBuckets': () => ({ Buckets: [{ Name: 'b' }] }),
  'iam:GetRole': ({ RoleName }) => ({
    Role: {
      RoleName,
      Path: '/',
      RoleId: 'id',
      Arn: 'arn',
      CreateDate: new Date(1e12),
      AssumeRolePolicyDocument: '%7B%22a%22%3A1%7D',
    },
  }),
  'sts:GetCallerIdentity': () => ({ Account: '123456789012' }),
};

/** What it must have understood, and prints. */
export const expected = {
  rds: 'y',
  ec2: ['sg-1', 'd'],
  sfn: 'RUNNING',
  cloudwatch: 'a',
  lambda: '{"x": 1}',
  eks: 'c d',
  sns: 'v',
  get: 'b|k/é x',
  put: '"body-b"',
  copy: 'b/other',
  location: 'us-west-2',
  buckets: ['b'],
  iam: { a: 1 },
  sts: '123456789012',
  errors: ['AWS.SimpleQueueService.NonExistentQueue', 'NoSuchBucket'],
};

/** What it is asked to call, at the endpoint that is its argument. */
export const script = `
import boto3, json, sys
from botocore.config import Config
def c(name): return boto3.client(name, endpoint_url=sys.argv[1], region_name='us-west-2', aws_access_key_id='o', aws_secret_access_key='s', config=Config(retries={'max_attempts': 1}, s3={'addressing_style': 'path'}))
def code(f):
    try: f()
    except Exception as e: return e.response['Error']['Code']
s3 = c('s3')
out = dict(
  rds=c('rds').describe_db_instances(Filters=[{'Name': 'n', 'Values': ['x', 'y']}])['DBInstances'][0]['DBInstanceIdentifier'],
  ec2=[c('ec2').describe_security_groups(GroupIds=['sg-1'])['SecurityGroups'][0][k] for k in ('GroupId', 'Description')],
  sfn=c('stepfunctions').describe_execution(executionArn='arn:e')['status'],
  cloudwatch=c('cloudwatch').describe_alarms(AlarmNames=['a'])['MetricAlarms'][0]['AlarmName'],
  eks=c('eks').describe_cluster(name='c d')['cluster']['name'],
  sns=c('sns').publish(TopicArn='t', Message='m', MessageAttributes={'k': {'DataType': 'String', 'StringValue': 'v'}})['MessageId'],
  get=s3.get_object(Bucket='b', Key='k/é x')['Body'].read().decode(),
  put=s3.put_object(Bucket='b', Key='k', Body=b'body', Metadata={'a': 'b'})['ETag'],
  copy=s3.copy_object(Bucket='b', Key='k', CopySource='b/other')['CopyObjectResult']['ETag'],
  location=s3.get_bucket_location(Bucket='b')['LocationConstraint'],
  buckets=[b['Name'] for b in s3.list_buckets()['Buckets']],
  iam=c('iam').get_role(RoleName='r')['Role']['AssumeRolePolicyDocument'],
  sts=c('sts').get_caller_identity()['Account'],
  errors=[code(lambda: c('sqs').get_queue_url(QueueName='q')), code(lambda: s3.list_objects_v2(Bucket='none'))],
)
out['lambda'] = c('lambda').invoke(FunctionName='f', Payload=json.dumps({'x': 1}))['Payload'].read().decode()
print(json.dumps(out))
`;
