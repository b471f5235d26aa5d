/** Who may do what to everything else, and what no role may. */
import { describe, expect, it } from 'vitest';
import { deleters, drill, modifiers, modifiersOf, ours, recovered } from './databases.ts';
import { rawStatement, roleOf, rolesOf, whoMay } from './roles.ts';
import { describeRules, only, resourcesOf, type Stack, stacks, targetOf } from './stacks.ts';

/** Statements that mention a pattern, as `role: text`. */
const mentioning = (stack: Stack, wanted: (text: string) => boolean, part: 'Action' | 'Resource' = 'Resource') =>
  rolesOf(stack).flatMap(({ name, statements }) =>
    statements.flatMap((statement) =>
      statement[part]
        .filter(wanted)
        .map((text) => ({ name, text, statement, told: `${name}: ${statement.Sid} ${text}` })),
    ),
  );

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
  // A zone is recorded in the evidence buckets of both.
  ...['make-drill', 'watch-configuration'].map((name) => `configuration/${name}`),
];

describeRules('permissions', [
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
    case: 'who looks at alarms sees composite ones, too: CloudWatch shows them to a scope of * only',
    find: (stack) => {
      const mayOn = (resource: string) => whoMay(stack, 'cloudwatch:DescribeAlarms', resource);
      const some = mayOn(`arn:aws:cloudwatch:${stack.region}:${stack.configuration.account}:alarm:any`);
      return [
        ...(some.includes('region/triage-region') ? [] : ['region/triage-region']),
        ...some.filter((name) => !mayOn('*').includes(name)),
      ];
    },
    broken: (stack) => {
      rawStatement(stack, 'region/triage-region', 'SeeAlarms').Resource = 'arn:aws:cloudwatch:*:*:alarm:*';
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
    case: 'no Allow for every resource but where an action has no resource type, or is not answered in full for less',
    find: (stack) =>
      mentioning(stack, (resource) => resource === '*')
        .filter(({ statement }) => statement.Effect === 'Allow')
        .filter(({ statement }) =>
          statement.Action.some(
            (action) =>
              !/^(xray:|logs:|ec2:|cloudwatch:(PutMetricData|GetMetricStatistics|DescribeAlarms)|servicequotas:|rds:DescribeEvents$|route53:ListHostedZonesByName$)/.test(
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
    case: 'traffic is shifted by one function; what ends a drill leads the drill’s record alone',
    find: (stack) => {
      const table = `arn:aws:dynamodb:${stack.configuration.dr.region}:${stack.configuration.account}:table/stocker-dr-${stack.environment}-control`;
      const writers = (name: string) =>
        whoMay(stack, 'dynamodb:PutItem', table, { 'dynamodb:LeadingKeys': `latch#${name}` });
      const ofDrills = ['region/shift-traffic', 'region/end-drill', 'incident/clean-up-stopped'];
      return [
        ...writers('traffic').filter((name) => name !== 'region/shift-traffic'),
        ...writers('drill-traffic').filter((name) => !ofDrills.includes(name)),
      ];
    },
    broken: (stack) => {
      const condition = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['latch#*'] } };
      rawStatement(stack, 'incident/clean-up-stopped', 'SetLatch').Condition = condition;
    },
  },
  {
    case: 'Terraform’s debt is recorded by the cut-over, and closed by the build that sees an empty plan',
    find: (stack) => {
      const table = `arn:aws:dynamodb:${stack.configuration.dr.region}:${stack.configuration.account}:table/stocker-dr-${stack.environment}-control`;
      const writers = whoMay(stack, 'dynamodb:PutItem', table, { 'dynamodb:LeadingKeys': 'terraform-debt' });
      return `${writers.toSorted()}` === 'cluster/jobs,database/cut-over' ? [] : [`written by ${writers}`];
    },
    broken: (stack) => void delete rawStatement(stack, 'incident/take-lease', 'HoldLease').Condition,
  },
  {
    case: 'records are put back in the zone by one function, and nobody deletes any but a drill’s own',
    find: (stack) => {
      const { recordName, drillRecordName, hostedZoneName } = stack.configuration.traffic;
      const call = 'route53:ChangeResourceRecordSets';
      const change = (name: string, action: string) =>
        whoMay(stack, call, 'arn:aws:route53:::hostedzone/Z1', {
          [`${call}NormalizedRecordNames`]: name,
          [`${call}Actions`]: action,
        });
      const removers = change(`configuration.${drillRecordName}`, 'DELETE').toSorted();
      return [
        ...[recordName, drillRecordName, hostedZoneName].flatMap((name) => change(name, 'DELETE')),
        ...change('another.example.org', 'UPSERT'),
        ...change(hostedZoneName, 'UPSERT').filter((name) => name !== 'configuration/restore-resources'),
        ...(change(recordName, 'UPSERT').includes('configuration/restore-resources') ? [] : ['records stay lost']),
        ...(`${removers}` === 'configuration/make-drill,configuration/remove-drill,incident/clean-up-stopped'
          ? []
          : [`a drill’s record is deleted by ${removers}`]),
      ];
    },
    broken: (stack) => void delete rawStatement(stack, 'configuration/restore-resources', 'RestoreRecords').Condition,
  },
  {
    case: 'secrets and keys come back by one function, and no secret but a drill’s is deleted by anybody',
    find: (stack) => {
      const { account, database } = stack.configuration;
      const arn = (resource: string) => `arn:aws:secretsmanager:${stack.region}:${account}:secret:${resource}-aBcDeF`;
      const master = arn(database.masterSecretName);
      const key = `arn:aws:kms:${stack.region}:${account}:key/1`;
      const only = (action: string, resource: string) =>
        whoMay(stack, action, resource).filter((name) => name !== 'configuration/restore-resources');
      return [
        ...only('secretsmanager:RestoreSecret', master),
        ...only('kms:CancelKeyDeletion', key),
        ...whoMay(stack, 'secretsmanager:DeleteSecret', master),
        ...whoMay(stack, 'kms:ScheduleKeyDeletion', key),
        ...(whoMay(stack, 'secretsmanager:RestoreSecret', master).length === 1 ? [] : ['secrets stay lost']),
      ];
    },
    broken: (stack) => {
      rawStatement(stack, 'configuration/remove-drill', 'DrillSecret').Resource = '*';
    },
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
    // Beside the functions': those of seven machines, of the schedules of six areas, and of the jobs of three projects.
    expect(rolesOf(stack).length).toBe(resourcesOf(stack, 'AWS::Lambda::Function').length + 16);
  });
  it.each(stacks)('may do its own work in $name', (stack) => {
    expect(whoMay(stack, 'rds:ModifyDBInstance', drill(stack), ours(stack))).toEqual(modifiers);
    expect(whoMay(stack, 'rds:ModifyDBInstance', recovered(stack), ours(stack))).toEqual(
      modifiersOf(stack, recovered(stack)),
    );
    expect(whoMay(stack, 'rds:DeleteDBInstance', drill(stack), ours(stack))).toEqual(deleters);
  });
});
