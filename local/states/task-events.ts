/** A task's events: Task… for an integration, LambdaFunction… where the Resource is a function's own ARN. */
import type { HistoryEventType } from '@aws-sdk/client-sfn';
import type { StatesError } from './errors.ts';
import type { Details } from './history.ts';
import type { Resource } from './resource.ts';

type Entry = readonly [HistoryEventType, Details?];

export interface TaskEvents {
  scheduled(parameters: string, timeoutInSeconds: number | undefined, heartbeatInSeconds: number | undefined): Entry;
  started(): Entry;
  /** The request of a `.sync` or callback task was accepted; its end is still to come. */
  submitted(output: string): Entry;
  submitFailed(failure: StatesError): Entry;
  succeeded(output: string): Entry;
  failed(failure: StatesError): Entry;
  timedOut(failure: StatesError): Entry;
}

export const taskEvents = (resource: Resource, region: string): TaskEvents =>
  resource.pattern === 'function' ? functionEvents(resource.operation) : integrationEvents(resource, region);

const whole = { truncated: false };

function integrationEvents({ type, label }: Resource, region: string): TaskEvents {
  const named = { resourceType: type, resource: label };
  const why = ({ error, cause }: StatesError) => ({ ...named, error, cause });
  return {
    scheduled: (parameters, timeoutInSeconds, heartbeatInSeconds) => [
      'TaskScheduled',
      { taskScheduledEventDetails: { ...named, region, parameters, timeoutInSeconds, heartbeatInSeconds } },
    ],
    started: () => ['TaskStarted', { taskStartedEventDetails: named }],
    submitted: (output) => ['TaskSubmitted', { taskSubmittedEventDetails: { ...named, output, outputDetails: whole } }],
    submitFailed: (failure) => ['TaskSubmitFailed', { taskSubmitFailedEventDetails: why(failure) }],
    succeeded: (output) => ['TaskSucceeded', { taskSucceededEventDetails: { ...named, output, outputDetails: whole } }],
    failed: (failure) => ['TaskFailed', { taskFailedEventDetails: why(failure) }],
    timedOut: (failure) => ['TaskTimedOut', { taskTimedOutEventDetails: why(failure) }],
  };
}

function functionEvents(resource: string): TaskEvents {
  const failed = ({ error, cause }: StatesError): Entry => [
    'LambdaFunctionFailed',
    { lambdaFunctionFailedEventDetails: { error, cause } },
  ];
  return {
    scheduled: (input, timeoutInSeconds) => [
      'LambdaFunctionScheduled',
      { lambdaFunctionScheduledEventDetails: { resource, input, inputDetails: whole, timeoutInSeconds } },
    ],
    started: () => ['LambdaFunctionStarted'],
    submitted: () => ['LambdaFunctionStarted'],
    submitFailed: failed,
    succeeded: (output) => [
      'LambdaFunctionSucceeded',
      { lambdaFunctionSucceededEventDetails: { output, outputDetails: whole } },
    ],
    failed,
    timedOut: ({ error, cause }) => [
      'LambdaFunctionTimedOut',
      { lambdaFunctionTimedOutEventDetails: { error, cause } },
    ],
  };
}
