/** Which fields each state type has with JSONata, and what each may hold. */
import { expressionsIn, mentionsOf } from './expressions.ts';
import { isObject } from './json.ts';
import { expressionOf } from './jsonata.ts';
import { parseResource } from './resource.ts';
import { isTimestamp } from './wait.ts';

/** Undefined when the value is good, else what is wrong: "must be …". */
export type Check = (value: unknown) => string | undefined;

const says =
  (holds: (value: unknown) => boolean, problem: string): Check =>
  (value) =>
    holds(value) ? undefined : problem;

/** The largest TimeoutSeconds, Seconds, IntervalSeconds and MaxAttempts of the States Language. */
const largest = 99_999_999;
/** The largest MaxDelaySeconds: less than 31,622,400, a leap year. */
const largestDelay = 31_622_399;

const whole = (least: number, most = largest): Check =>
  says(
    (value) => typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most,
    `must be a whole number from ${least} to ${most}`,
  );
const or =
  (a: Check, b: Check): Check =>
  (value) =>
    a(value) && b(value) ? `${a(value)}, or a JSONata expression` : undefined;

export const text: Check = says((value) => typeof value === 'string' && value !== '', 'must be a string');
const anyText = says((value) => typeof value === 'string', 'must be a string');
const flag = says((value) => typeof value === 'boolean', 'must be true or false');
const expression: Check = says(
  (value) => typeof value === 'string' && expressionOf(value) !== undefined,
  'must be a JSONata expression',
);
export const template: Check = (value) => {
  for (const { source, location } of expressionsIn(value, '')) {
    const problem = expressionProblem(source);
    if (problem) return `${problem}${location && ` in ${location}`}`;
  }
  return undefined;
};
const message: Check = (value) => anyText(value) ?? template(value);
const list = says((value) => Array.isArray(value) && value.length > 0, 'must be a list that is not empty');
const jsonata = says((value) => value === 'JSONata', 'must be JSONata: only JSONata is supported');
const timestamp = says(
  (value) => typeof value === 'string' && (expressionOf(value) !== undefined || isTimestamp(value)),
  'must be an RFC 3339 timestamp or a JSONata expression',
);

function expressionProblem(source: string): string | undefined {
  try {
    return mentionsOf(source).variables.has('eval') ? 'must not call $eval: Step Functions removed it' : undefined;
  } catch (error) {
    return `is no JSONata: ${(error as Error).message}`;
  }
}

/** Variable names: letters, digits and underscores of Unicode, at most 80 characters; `states` is reserved. */
const assign: Check = (value) => {
  if (!isObject(value)) return 'must be an object';
  const bad = Object.keys(value).find(
    (name) => !/^[\p{ID_Start}_]\p{ID_Continue}{0,79}$/u.test(name) || name === 'states',
  );
  return bad === undefined ? template(value) : `must not assign the variable '${bad}'`;
};

const resource: Check = (value) => {
  if (typeof value !== 'string') return 'must be a string';
  const parsed = parseResource(value);
  return typeof parsed === 'string' ? `is not supported: ${parsed}` : undefined;
};

/** A field's check; `required` ones must be there. */
export interface Fields {
  readonly required: Readonly<Record<string, Check>>;
  readonly optional: Readonly<Record<string, Check>>;
}

const common = { Comment: anyText, QueryLanguage: jsonata };
const productive = { ...common, Assign: assign, Output: template };
const step = { ...productive, Next: text, End: flag };
const fallible = { ...step, Retry: list, Catch: list };
const count = (least: number) => or(whole(least), expression);
const kind = { Type: text };

export const stateFields: Readonly<Record<string, Fields>> = {
  Task: {
    required: { ...kind, Resource: resource },
    optional: { ...fallible, Arguments: template, TimeoutSeconds: count(1), HeartbeatSeconds: count(1) },
  },
  Map: {
    required: { ...kind, ItemProcessor: says(isObject, 'must be an object') },
    optional: {
      ...fallible,
      Items: or(says(Array.isArray, 'must be a list'), expression),
      ItemSelector: template,
      MaxConcurrency: count(0),
    },
  },
  Parallel: { required: { ...kind, Branches: list }, optional: { ...fallible, Arguments: template } },
  Choice: { required: { ...kind, Choices: list }, optional: { ...productive, Default: text } },
  Wait: { required: kind, optional: { ...step, Seconds: count(0), Timestamp: timestamp } },
  Pass: { required: kind, optional: step },
  Succeed: { required: kind, optional: { ...common, Output: template } },
  Fail: { required: kind, optional: { ...common, Error: message, Cause: message } },
};

export const machineFields: Fields = {
  required: { StartAt: text, States: says(isObject, 'must be an object'), QueryLanguage: jsonata },
  optional: { Comment: anyText, Version: says((value) => value === '1.0', 'must be 1.0'), TimeoutSeconds: whole(1) },
};
export const branchFields: Fields = {
  required: { StartAt: text, States: says(isObject, 'must be an object') },
  optional: { Comment: anyText },
};
export const processorFields: Fields = {
  ...branchFields,
  optional: {
    ...branchFields.optional,
    ProcessorConfig: says(
      (value) => isObject(value) && Object.keys(value).every((name) => name === 'Mode') && value.Mode === 'INLINE',
      'must be { "Mode": "INLINE" }: a distributed Map is not supported',
    ),
  },
};
export const ruleFields: Fields = {
  required: { Condition: or(flag, expression), Next: text },
  optional: { Comment: anyText, Assign: assign, Output: template },
};
export const retrierFields: Fields = {
  required: { ErrorEquals: list },
  optional: {
    Comment: anyText,
    IntervalSeconds: whole(1),
    MaxAttempts: whole(0),
    BackoffRate: says((value) => typeof value === 'number' && value >= 1, 'must be a number of at least 1'),
    MaxDelaySeconds: whole(1, largestDelay),
    JitterStrategy: says((value) => value === 'FULL' || value === 'NONE', 'must be FULL or NONE'),
  },
};
export const catcherFields: Fields = {
  required: { ErrorEquals: list, Next: text },
  optional: { Comment: anyText, Assign: assign, Output: template },
};

/** Fields of JSONPath states: naming them gets a message of its own. */
export const jsonPathFields = new Set([
  'InputPath',
  'OutputPath',
  'ResultPath',
  'Parameters',
  'ResultSelector',
  'Result',
  'ItemsPath',
  'MaxConcurrencyPath',
  'TimeoutSecondsPath',
  'HeartbeatSecondsPath',
  'SecondsPath',
  'TimestampPath',
  'ErrorPath',
  'CausePath',
  'Variable',
]);
