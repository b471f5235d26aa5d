/** Clients that are not ours, where they are installed: what a person has on the machine must work as it is. */
import { execFile, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { instructions } from '../../cli/commands/cloud.ts';
import { type Installation, install, mailsOf } from '../../cli/installation.ts';
import { fetchReport } from '../../cli/report.ts';
import { namesOf } from '../../config/names.ts';
import { untilQuiet } from '../support/quiet.ts';

const run = promisify(execFile);
const works = (command: string, ...argv: string[]) => spawnSync(command, argv, { timeout: 30_000 }).status === 0;
const hasAws = works('aws', '--version');
const hasBoto = works('python3', '-c', 'import boto3');

describe.runIf(hasAws || hasBoto)('clients of a running cloud', () => {
  let installation: Installation;
  let environment: NodeJS.ProcessEnv;

  beforeAll(async () => {
    const { staging } = inject('assemblies');
    installation = await install({ environment: 'staging', assembly: staging, rows: 200, clockFactor: 60 });
    environment = {
      PATH: process.env.PATH,
      // Nothing of this machine's own configuration.
      HOME: installation.cloud.dataDirectory,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_PAGER: '',
      AWS_ENDPOINT_URL: installation.cloud.endpoint,
      AWS_DEFAULT_REGION: installation.configuration.primary.region,
      AWS_ACCESS_KEY_ID: 'operator',
      AWS_SECRET_ACCESS_KEY: 'operator',
    };
    await baselineIsRestorable(installation);
    await untilQuiet(installation);
  });
  afterAll(() => installation?.stop());

  async function aws(...argv: string[]): Promise<Record<string, never>> {
    const { stdout } = await run('aws', [...argv, '--output', 'json'], { env: environment });
    return stdout.trim() === '' ? {} : JSON.parse(stdout);
  }

  test.runIf(hasAws)('a person confirmed the subscription, and an alarm would reach them', () => {
    const arn = namesOf(installation.configuration).topicArn(
      'us-east-1',
      namesOf(installation.configuration).internalTopic,
    );
    return aws('sns', 'list-subscriptions-by-topic', '--topic-arn', arn).then(({ Subscriptions }) =>
      expect(Subscriptions).toMatchObject([{ Protocol: 'email', SubscriptionArn: expect.stringContaining(arn) }]),
    );
  });

  test.runIf(hasAws)(
    'what `dr cloud` prints to paste works when it is pasted, and the drill that it starts can be followed',
    async () => {
      const { configuration, clients } = installation;
      const names = namesOf(configuration);
      const pasted = instructions(installation).filter((line) => /^ {2}(export|aws|curl)/.test(line));
      expect(pasted).toHaveLength(7);
      const script = pasted.map((line) => line.replace('curl', 'curl -sSf')).join('\n');
      const {
        AWS_ENDPOINT_URL: _endpoint,
        AWS_DEFAULT_REGION: _region,
        AWS_ACCESS_KEY_ID: _key,
        ...bare
      } = environment;
      const { stdout } = await run('bash', ['-e', '-c', script], { env: bare });
      expect(stdout).toContain(configuration.database.identifier);
      expect(stdout).toContain('SKU-');
      const executionArn = /"executionArn": "([^"]+)"/.exec(stdout)?.[1] ?? 'none was started';

      const described = async () =>
        (await aws('stepfunctions', 'describe-execution', '--execution-arn', executionArn)) as { status?: string };
      let execution = await described();
      for (; execution.status === 'RUNNING'; execution = await described()) await sleep(200);
      expect(execution).toMatchObject({ status: 'SUCCEEDED' });
      const history = await aws('stepfunctions', 'get-execution-history', '--execution-arn', executionArn);
      expect(JSON.stringify(history)).toContain('"AwaitTornDown"');

      const listed = await aws(
        'dynamodb',
        'query',
        '--table-name',
        names.incidentTable,
        '--key-condition-expression',
        'pk = :list',
        '--expression-attribute-values',
        '{":list":{"S":"incidents"}}',
      );
      const incident = /drill-\d{8}T\d{6}Z-[0-9a-f]{8}/.exec(JSON.stringify(listed))?.[0] ?? '';
      const steps = await aws(
        'dynamodb',
        'query',
        '--table-name',
        names.incidentTable,
        '--key-condition-expression',
        'pk = :incident',
        '--expression-attribute-values',
        JSON.stringify({ ':incident': { S: `incident#${incident}` } }),
      );
      expect(JSON.stringify(steps)).toContain('step#CutOver');
      const report = await fetchReport(clients, names.incidentTable, incident);
      const { stdout: stored } = await run('aws', ['s3', 'cp', report?.record.reports?.json ?? '', '-'], {
        env: environment,
      });
      expect(JSON.parse(stored)).toEqual(report);
      expect(
        mailsOf(installation)
          .map(({ subject }) => subject)
          .join(),
      ).toContain('succeeded');
    },
    180_000,
  );

  test('no incident, no report', async () => {
    const table = namesOf(installation.configuration).incidentTable;
    expect(await fetchReport(installation.clients, table, 'drill-unheard-of')).toBeUndefined();
  });

  test.runIf(hasBoto)(
    'boto3 lists instances and snapshots, and reads from a queue what it published to a topic',
    async () => {
      const { database, primary } = installation.configuration;
      const { internalTopic } = namesOf(installation.configuration);
      const topic = namesOf(installation.configuration).topicArn(primary.region, internalTopic);
      const { stdout } = await run('python3', ['-c', bothWays, database.identifier, topic], { env: environment });
      expect(JSON.parse(stdout)).toEqual({
        instances: [database.identifier],
        snapshot: `${database.identifier}-by-hand`,
        types: expect.arrayContaining(['manual']),
        message: 'a message',
      });
    },
  );
});

/** Until then a drill could not compare with the first baseline. */
async function baselineIsRestorable({ cloud, configuration }: Installation): Promise<void> {
  const since = Date.now();
  type Described = { DBInstances: { LatestRestorableTime?: Date }[] };
  const { region } = configuration.primary;
  for (let latest = 0; latest <= since; await sleep(50)) {
    const described = await cloud.call<Described>('rds', 'DescribeDBInstances', {}, region);
    latest = described.DBInstances[0]?.LatestRestorableTime?.getTime() ?? 0;
  }
}

const bothWays = `
import boto3, json, sys
identifier, topic = sys.argv[1:]
rds, sns, sqs = (boto3.client(name) for name in ('rds', 'sns', 'sqs'))
instances = [each['DBInstanceIdentifier'] for each in rds.describe_db_instances()['DBInstances']]
made = rds.create_db_snapshot(DBInstanceIdentifier=identifier, DBSnapshotIdentifier=identifier + '-by-hand')['DBSnapshot']
types = [each['SnapshotType'] for each in rds.describe_db_snapshots(DBInstanceIdentifier=identifier)['DBSnapshots']]
queue = sqs.list_queues()['QueueUrls'][0]
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
policy = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'sns.amazonaws.com'},
  'Action': 'sqs:SendMessage', 'Resource': arn, 'Condition': {'ArnEquals': {'aws:SourceArn': topic}}}]}
sqs.set_queue_attributes(QueueUrl=queue, Attributes={'Policy': json.dumps(policy)})
sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=arn, Attributes={'RawMessageDelivery': 'true'})
sns.publish(TopicArn=topic, Subject='by boto3', Message='a message')
message = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)['Messages'][0]['Body']
print(json.dumps({'instances': instances, 'snapshot': made['DBSnapshotIdentifier'], 'types': types, 'message': message}))
`;
