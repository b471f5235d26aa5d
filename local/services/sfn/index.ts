/** AWS Step Functions: Standard workflows in JSONata, executed by local/states. */
import type * as Sfn from '@aws-sdk/client-sfn';
import {
  type Access,
  AwsError,
  type Home,
  type Operation,
  type Service,
  type ServiceDefinition,
} from '../../kernel.ts';
import { operation, page, provider } from '../declare.ts';
import { redriveReason } from './events.ts';
import { Executions, type HistoryListener } from './executions.ts';
import { historyPage } from './history-page.ts';
import { checkedDefinition, type Machine, type MachineProperties, Machines, machineProperties } from './machines.ts';
import { checkArn } from './names.ts';
import { type ExecutionRecord, statusOf } from './record.ts';
import { taskOperations } from './tokens.ts';

/** What other parts of the cloud, tests and the command line use beyond the API. */
export interface SfnService extends Service {
  /** Resolves when the execution has ended. Throws AwsError ExecutionDoesNotExist. */
  completion(executionArn: string): Promise<void>;
  /** Calls `listener` with every event of every execution; returns what ends that. */
  onHistory(listener: HistoryListener): () => void;
}

export const sfn: ServiceDefinition = {
  name: 'sfn',
  sdk: '@aws-sdk/client-sfn',
  create: createSfn,
};

export function createSfn(home: Home): SfnService {
  const machines = new Machines(home);
  const executions = new Executions(home);
  return {
    operations: {
      ...machineOperations(home, machines, executions),
      ...executionOperations(machines, executions),
      ...taskOperations(executions.callbacks),
    },
    resources: provider<MachineProperties>(
      'AWS::StepFunctions::StateMachine',
      machineProperties,
      (properties, context) => machines.create(properties, context),
    ),
    completion: (arn) => executions.completion(arn),
    onHistory: (listener) => executions.onHistory(listener),
    stop: () => executions.stop(),
  };
}

const onMachine =
  (action: string) =>
  (input: { stateMachineArn?: string | undefined }): Access => ({
    action: `states:${action}`,
    resources: [checkArn(input.stateMachineArn, 'stateMachine')],
  });
const onExecution =
  (action: string) =>
  (input: { executionArn?: string | undefined }): Access => ({
    action: `states:${action}`,
    resources: [checkArn(input.executionArn, 'execution')],
  });
const onAll = (action: string) => (): Access => ({ action: `states:${action}`, resources: ['*'] });

/** maxResults of the lists: 0 or nothing means 100, the API allows 1,000. */
const limitOf = (maxResults: number | undefined): number => Math.min(maxResults || 100, 1000);

function listPage<T>(all: readonly T[], token: string | undefined, maxResults: number | undefined) {
  if (token !== undefined && !/^\d+$/.test(Buffer.from(token, 'base64url').toString()))
    throw new AwsError('InvalidToken', `Invalid Token: '${token}'`);
  return page(all, token, limitOf(maxResults));
}

function machineOperations({ clock }: Home, machines: Machines, executions: Executions): Record<string, Operation> {
  return {
    DescribeStateMachine: operation<Sfn.DescribeStateMachineInput, Sfn.DescribeStateMachineOutput>(
      ['stateMachineArn', 'includedData'],
      onMachine('DescribeStateMachine'),
      (input) => {
        const machine = machines.get(String(input.stateMachineArn));
        return { ...described(machine), status: 'ACTIVE', type: 'STANDARD', creationDate: machine.createdAt };
      },
    ),
    UpdateStateMachine: operation<Sfn.UpdateStateMachineInput, Sfn.UpdateStateMachineOutput>(
      ['stateMachineArn', 'definition', 'roleArn'],
      onMachine('UpdateStateMachine'),
      async ({ stateMachineArn = '', definition, roleArn }) => {
        const change = {
          ...(definition === undefined ? {} : { definition }),
          ...(roleArn === undefined ? {} : { roleArn }),
        };
        const { revisionId } = await machines.update(stateMachineArn, change);
        return { updateDate: new Date(clock.now()), revisionId };
      },
    ),
    DescribeStateMachineForExecution: operation<
      Sfn.DescribeStateMachineForExecutionInput,
      Sfn.DescribeStateMachineForExecutionOutput
    >(['executionArn', 'includedData'], onExecution('DescribeStateMachineForExecution'), (input) => {
      const { machine } = executions.get(String(input.executionArn));
      return { ...described(machine), updateDate: machine.createdAt };
    }),
    ListStateMachines: operation<Sfn.ListStateMachinesInput, Sfn.ListStateMachinesOutput>(
      ['maxResults', 'nextToken'],
      onAll('ListStateMachines'),
      (input) => {
        const { items, next } = listPage(machines.all(), input.nextToken, input.maxResults);
        return {
          stateMachines: items.map((machine) => ({
            stateMachineArn: machine.arn,
            name: machine.name,
            type: 'STANDARD',
            creationDate: machine.createdAt,
          })),
          nextToken: next,
        };
      },
    ),
    ListTagsForResource: operation<Sfn.ListTagsForResourceInput, Sfn.ListTagsForResourceOutput>(
      ['resourceArn'],
      ({ resourceArn }) => onMachine('ListTagsForResource')({ stateMachineArn: resourceArn }),
      (input) => ({ tags: [...machines.get(String(input.resourceArn)).tags] }),
    ),
    ValidateStateMachineDefinition: operation<
      Sfn.ValidateStateMachineDefinitionInput,
      Sfn.ValidateStateMachineDefinitionOutput
    >(['definition', 'type'], onAll('ValidateStateMachineDefinition'), validate),
  };
}

function described(machine: Machine) {
  return {
    stateMachineArn: machine.arn,
    name: machine.name,
    definition: machine.text,
    roleArn: machine.roleArn,
    loggingConfiguration: machine.loggingConfiguration as Sfn.LoggingConfiguration | undefined,
    tracingConfiguration: { enabled: machine.tracingEnabled },
    revisionId: machine.revisionId,
  };
}

async function validate(
  input: Sfn.ValidateStateMachineDefinitionInput,
): Promise<Sfn.ValidateStateMachineDefinitionOutput> {
  try {
    await checkedDefinition(input.definition ?? '', 'definition');
    return { result: 'OK', diagnostics: [], truncated: false };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const diagnostic = { severity: 'ERROR', code: 'SCHEMA_VALIDATION_FAILED', message: error.message } as const;
    return { result: 'FAIL', diagnostics: [diagnostic], truncated: false };
  }
}

function executionOperations(machines: Machines, executions: Executions): Record<string, Operation> {
  return {
    StartExecution: operation<Sfn.StartExecutionInput, Sfn.StartExecutionOutput>(
      ['stateMachineArn', 'name', 'input', 'traceHeader'],
      onMachine('StartExecution'),
      (input) => {
        const record = executions.start(machines.get(String(input.stateMachineArn)), input.name, input.input);
        return { executionArn: record.arn, startDate: record.startedAt };
      },
    ),
    StopExecution: operation<Sfn.StopExecutionInput, Sfn.StopExecutionOutput>(
      ['executionArn', 'error', 'cause'],
      onExecution('StopExecution'),
      async (input) => {
        const { arn, execution } = executions.get(String(input.executionArn));
        execution.stop(input.error, input.cause);
        await executions.completion(arn);
        return { stopDate: new Date(executions.get(arn).end?.at ?? 0) };
      },
    ),
    DescribeExecution: operation<Sfn.DescribeExecutionInput, Sfn.DescribeExecutionOutput>(
      ['executionArn', 'includedData'],
      onExecution('DescribeExecution'),
      (input) => describedExecution(executions.get(String(input.executionArn))),
    ),
    GetExecutionHistory: operation<Sfn.GetExecutionHistoryInput, Sfn.GetExecutionHistoryOutput>(
      ['executionArn', 'maxResults', 'reverseOrder', 'nextToken', 'includeExecutionData'],
      onExecution('GetExecutionHistory'),
      (input) => {
        const { events } = executions.get(String(input.executionArn)).execution;
        const ordered = input.reverseOrder ? events.toReversed() : events;
        const { items, next } = listPage(ordered, input.nextToken, input.maxResults);
        return { events: historyPage(items, input.includeExecutionData ?? true), nextToken: next };
      },
    ),
    ListExecutions: operation<Sfn.ListExecutionsInput, Sfn.ListExecutionsOutput>(
      ['stateMachineArn', 'statusFilter', 'maxResults', 'nextToken'],
      onMachine('ListExecutions'),
      (input) => {
        const all = executions.of(machines.get(String(input.stateMachineArn)));
        const wanted = all.filter((record) => (input.statusFilter ?? statusOf(record)) === statusOf(record));
        const { items, next } = listPage(wanted, input.nextToken, input.maxResults);
        return { executions: items.map(summary), nextToken: next };
      },
    ),
  };
}

const summary = (record: ExecutionRecord) => ({
  executionArn: record.arn,
  stateMachineArn: record.machine.arn,
  name: record.name,
  status: statusOf(record),
  startDate: record.startedAt,
  stopDate: record.end && new Date(record.end.at),
  redriveCount: 0,
});

function describedExecution(record: ExecutionRecord): Sfn.DescribeExecutionOutput {
  const { input, end } = record;
  return {
    ...summary(record),
    input,
    inputDetails: { included: true },
    output: end?.output,
    outputDetails: end?.output === undefined ? undefined : { included: true },
    error: end?.error,
    cause: end?.cause,
    redriveStatus: 'NOT_REDRIVABLE',
    redriveStatusReason: redriveReason(record),
  };
}
