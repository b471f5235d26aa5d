import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as sns from 'aws-cdk-lib/aws-sns';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { namesOf } from '../../config/names.ts';
import type { Configuration } from '../../config/schema.ts';
import { deadLetterQueue } from './dead-letters.ts';
import type { JobProject } from './job-project.ts';

export interface RecoveryMachineProps {
  /** The file in state-machines/, without .asl.json. */
  readonly name: string;
  /** Substitution → function: `${RestoreDatabase}` in the file. */
  readonly functions: Readonly<Record<string, lambda.IFunction>>;
  /** Substitution → project whose builds it starts and waits for. */
  readonly projects?: Readonly<Record<string, JobProject>>;
  readonly values?: Readonly<Record<string, string>>;
  /** Cleans up after an execution that ended without running its own Catch; absent where none leaves anything behind. */
  readonly cleanUp?: lambda.IFunction;
  /** Rings where even that was not called. */
  readonly topic: sns.ITopic;
}

const definitionFile = (name: string) => path.join(import.meta.dirname, `../../state-machines/${name}.asl.json`);

/** Those of the functions that a definition names: its role may call no other. */
export function usedBy<F>(name: string, functions: Readonly<Record<string, F>>): Record<string, F> {
  const text = readFileSync(definitionFile(name), 'utf8');
  return Object.fromEntries(Object.entries(functions).filter(([each]) => text.includes(`\${${each}}`)));
}

/** One state machine: the file in Git is what runs. */
export class RecoveryMachine extends Construct {
  readonly machine: sfn.StateMachine;

  constructor(scope: Construct, configuration: Configuration, props: RecoveryMachineProps) {
    super(scope, props.name);
    const names = namesOf(configuration);
    const functions = Object.values(props.functions);
    const role = new iam.Role(this, 'Role', {
      // Step Functions may act for this machine only, not for another one that names this role.
      assumedBy: new iam.ServicePrincipal('states.amazonaws.com', {
        conditions: {
          ArnEquals: { 'aws:SourceArn': names.stateMachineArn(Stack.of(this).region, props.name) },
          StringEquals: { 'aws:SourceAccount': configuration.account },
        },
      }),
      description: `Role of the state machine ${props.name}`,
    });
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'CallSteps',
        actions: ['lambda:InvokeFunction'],
        resources: functions.map((each) => each.functionArn),
      }),
    );
    const projects = Object.entries(props.projects ?? {});
    if (projects.length > 0)
      mayRunJobs(
        role,
        projects.map(([, { arn }]) => arn),
      );
    this.machine = new sfn.StateMachine(this, 'StateMachine', {
      stateMachineName: names.stateMachine(props.name),
      stateMachineType: sfn.StateMachineType.STANDARD,
      role,
      definitionBody: sfn.DefinitionBody.fromFile(definitionFile(props.name)),
      definitionSubstitutions: {
        ...Object.fromEntries(Object.entries(props.functions).map(([name, each]) => [name, each.functionArn])),
        ...Object.fromEntries(projects.map(([name, each]) => [name, each.name])),
        ...props.values,
      },
      tracingEnabled: true,
      logs: {
        destination: new logs.LogGroup(this, 'Logs', {
          logGroupName: `/aws/vendedlogs/states/${names.stateMachine(props.name)}`,
          retention: configuration.logRetentionDays,
          removalPolicy: RemovalPolicy.RETAIN,
        }),
        level: sfn.LogLevel.ALL,
        includeExecutionData: true,
      },
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason: 'Log delivery and X-Ray have no resource types; the functions are named one by one.',
    });
    if (props.cleanUp) this.cleanUpBy(props.cleanUp, configuration, props);
  }

  /** A stopped execution runs no Catch; States.Runtime is caught by nothing (aws-facts). */
  private cleanUpBy(cleanUp: lambda.IFunction, configuration: Configuration, props: RecoveryMachineProps): void {
    const names = namesOf(configuration);
    new events.Rule(this, 'Ended', {
      ruleName: `${names.stateMachine(props.name)}-ended`,
      description: `An execution of ${props.name} ended without success`,
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [names.stateMachineArn(Stack.of(this).region, props.name)],
          status: ['ABORTED', 'TIMED_OUT', 'FAILED'],
        },
      },
      targets: [
        new targets.LambdaFunction(cleanUp, {
          deadLetterQueue: deadLetterQueue(this, {
            prefix: names.prefix,
            of: `clean-up-of-${props.name}`,
            title: `Nobody cleaned up after an execution of ${props.name}`,
            topic: props.topic,
          }),
          maxEventAge: Duration.hours(6),
          retryAttempts: 20,
        }),
      ],
    });
  }
}

/** What `codebuild:startBuild.sync` needs (Step Functions: IAM policies for CodeBuild): it waits by a managed rule of this name. */
function mayRunJobs(role: iam.Role, projectArns: string[]): void {
  const rule = 'rule/StepFunctionsGetEventForCodeBuildStartBuildRule';
  role.addToPolicy(
    new iam.PolicyStatement({
      sid: 'RunJobs',
      actions: ['codebuild:StartBuild', 'codebuild:StopBuild', 'codebuild:BatchGetBuilds'],
      resources: projectArns,
    }),
  );
  role.addToPolicy(
    new iam.PolicyStatement({
      sid: 'AwaitJobs',
      actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
      resources: [Stack.of(role).formatArn({ service: 'events', resource: rule })],
    }),
  );
}
