import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assemblyOf, describeRules, type Properties, resourcesOf, type Stack, stacks, synthesized } from './stacks.ts';

interface Finding {
  readonly ruleName: string;
  readonly reason?: string;
}
interface Report {
  readonly conclusion: string;
  readonly violations: readonly Finding[];
  readonly suppressedViolations: readonly Finding[];
}

/** What cdk-nag found in an assembly. */
function nagReport(environment: string): Report {
  const { pluginReports } = JSON.parse(readFileSync(join(assemblyOf(environment), 'validation-report.json'), 'utf8'));
  const [report, ...others] = pluginReports;
  expect(others).toEqual([]);
  return report;
}
const openFindings = ({ conclusion, violations }: Report) =>
  (conclusion === 'success' ? [] : [conclusion]).concat(violations.map(({ ruleName }) => ruleName));
const unexplained = ({ suppressedViolations }: Report) =>
  suppressedViolations.filter(({ reason = '' }) => reason.trim().length < 20).map(({ ruleName }) => ruleName);

describe.each(synthesized)('cdk-nag on %s', (environment) => {
  const report = nagReport(environment);
  it('looked, and leaves no finding open', () => {
    expect(report.suppressedViolations.length).toBeGreaterThan(0);
    expect(openFindings(report)).toEqual([]);
  });
  it('has a reason for whatever is acknowledged', () => {
    expect(unexplained(report)).toEqual([]);
  });
  it('(control) sees an open finding and a missing reason', () => {
    const finding = { ruleName: 'AwsSolutions-IAM5', reason: 'ok' };
    expect(openFindings({ conclusion: 'failure', violations: [finding], suppressedViolations: [] })).toHaveLength(2);
    expect(unexplained({ conclusion: 'success', violations: [], suppressedViolations: [finding] })).toHaveLength(1);
  });
});

/** Everything of one kind of resource that must be the same in both Regions, without what names the Region. */
const shape = (stack: Stack, type: string, pick: (properties: Properties) => unknown) =>
  resourcesOf(stack, type)
    .map(([, { Properties }]) => JSON.stringify(pick(Properties)).replaceAll(stack.region, 'REGION'))
    .sort();
const twinOf = (stack: Stack) => {
  const twin = stacks.find(({ environment, role }) => environment === stack.environment && role !== stack.role);
  if (!twin) throw new Error(`${stack.name} has no other Region`);
  return twin;
};
/** What watches the primary, holds the latch and rehearses the failover is in the DR Region alone. */
const ofStandby = /-(region-(primary|probe|latch|triage|alarm|drill)|(drill-)?traffic-latched)/;
/** What a stack has that its twin lacks. */
const lacking = (stack: Stack, type: string, pick: (properties: Properties) => unknown) => {
  const there = shape(twinOf(stack), type, pick);
  return shape(stack, type, pick).filter(
    (each) => !there.includes(each) && !(stack.role === 'dr' && ofStandby.test(each)),
  );
};

describeRules('both Regions', [
  {
    case: 'hold no more than CloudFormation lets them: 500 resources a stack, of which some are left for what comes',
    find: ({ name, template }) => {
      const count = Object.keys(template.Resources).length;
      return count > 480 ? [`${name} has ${count} resources`] : [];
    },
    broken: ({ template }) => {
      const [resource] = Object.values(template.Resources);
      for (let more = 0; more < 480; more += 1) if (resource) template.Resources[`More${more}`] = resource;
    },
  },
  {
    case: 'have the same functions',
    find: (stack) =>
      lacking(stack, 'AWS::Lambda::Function', ({ Handler, Timeout, MemorySize, Runtime }) => [
        Handler,
        Timeout,
        MemorySize,
        Runtime,
      ]),
    broken: (stack) => {
      for (const [, { Properties }] of resourcesOf(stack, 'AWS::Lambda::Function')) Properties.Timeout += 1;
    },
  },
  {
    case: 'have the same machine, from the same file',
    find: (stack) =>
      lacking(
        stack,
        'AWS::StepFunctions::StateMachine',
        ({ StateMachineName, StateMachineType, DefinitionS3Location, DefinitionSubstitutions }) => [
          StateMachineName,
          StateMachineType,
          DefinitionS3Location.Key,
          Object.keys(DefinitionSubstitutions),
        ],
      ),
    broken: (stack) => {
      for (const [, { Properties }] of resourcesOf(stack, 'AWS::StepFunctions::StateMachine'))
        Properties.DefinitionS3Location.Key = 'another.json';
    },
  },
  ...[
    'AWS::CloudWatch::Alarm',
    'AWS::Events::Rule',
    'AWS::Scheduler::Schedule',
    'AWS::SNS::Topic',
    'AWS::SQS::Queue',
  ].map((type) => ({
    case: `have the same ${type}`,
    find: (stack: Stack) =>
      lacking(stack, type, ({ AlarmName, Name, TopicName, QueueName, ScheduleExpression }) => [
        AlarmName,
        Name,
        TopicName,
        QueueName,
        ScheduleExpression,
      ]),
    broken: (stack: Stack) => {
      stack.template.Resources.Extra = { Type: type, Properties: { Name: 'extra' } };
    },
  })),
  {
    case: 'need no custom resource and nothing from another stack',
    find: (stack) => {
      const custom = Object.values(stack.template.Resources)
        .map(({ Type }) => Type)
        .filter((type) => /^Custom::|CustomResource|^AWS::CloudFormation::/.test(type));
      const exports = Object.entries(stack.template.Outputs ?? {})
        .filter(([, { Export }]) => Export)
        .map(([name]) => name);
      return [
        ...custom,
        ...exports,
        ...(JSON.stringify(stack.template).includes('Fn::ImportValue') ? ['Fn::ImportValue'] : []),
      ];
    },
    broken: (stack) => {
      stack.template.Resources.Custom = { Type: 'Custom::AWS', Properties: { Value: { 'Fn::ImportValue': 'other' } } };
    },
  },
  {
    case: 'trace and log the machine, whose log group is kept',
    find: (stack) =>
      resourcesOf(stack, 'AWS::StepFunctions::StateMachine')
        .filter(
          ([, { Properties }]) =>
            !Properties.TracingConfiguration?.Enabled ||
            Properties.LoggingConfiguration?.Level !== 'ALL' ||
            Properties.StateMachineType !== 'STANDARD',
        )
        .map(([id]) => id),
    broken: (stack) => {
      for (const [, { Properties }] of resourcesOf(stack, 'AWS::StepFunctions::StateMachine'))
        Properties.LoggingConfiguration.Level = 'OFF';
    },
  },
  {
    case: 'tag what is made here with the environment',
    find: (stack) =>
      ['AWS::Lambda::Function', 'AWS::DynamoDB::Table', 'AWS::S3::Bucket', 'AWS::SNS::Topic', 'AWS::IAM::Role']
        .flatMap((type) => resourcesOf(stack, type))
        .filter(
          ([, { Properties }]) =>
            !Properties.Tags?.some(
              ({ Key, Value }: { Key: string; Value: string }) =>
                Key === 'stocker-dr:environment' && Value === stack.environment,
            ),
        )
        .map(([id]) => id),
    broken: (stack) => {
      for (const [, { Properties }] of resourcesOf(stack, 'AWS::S3::Bucket')) delete Properties.Tags;
    },
  },
]);
