/** The resources a Task can name: a function, or a service's operation in one of the integration patterns. */

export type Pattern = 'requestResponse' | 'sync' | 'sync:2' | 'waitForTaskToken';

export interface Resource {
  /** `lambda`, `sns`, …, or `aws-sdk:rds`; the history calls it resourceType. */
  readonly type: string;
  /** `invoke`, `publish`, `describeDBInstances`; a function's ARN where `pattern` is `function`. */
  readonly operation: string;
  readonly pattern: Pattern | 'function';
  /** The history's name for it: `invoke.waitForTaskToken`. */
  readonly label: string;
}

const every: readonly Pattern[] = ['requestResponse', 'waitForTaskToken'];
const plain: readonly Pattern[] = ['requestResponse'];
const optimized: Readonly<Record<string, readonly Pattern[]>> = {
  'lambda:invoke': every,
  'sns:publish': every,
  'sqs:sendMessage': every,
  'events:putEvents': every,
  'states:startExecution': [...every, 'sync', 'sync:2'],
  'codebuild:startBuild': ['requestResponse', 'sync'],
  'dynamodb:getItem': plain,
  'dynamodb:putItem': plain,
  'dynamodb:updateItem': plain,
  'dynamodb:deleteItem': plain,
};

const integration =
  /^arn:aws:states:[a-z0-9-]*:\d*:(aws-sdk:[a-z0-9]+|[a-z]+):([A-Za-z0-9]+)(?:\.(sync:2|sync|waitForTaskToken))?$/;
const lambdaArn = /^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(?::[A-Za-z0-9$_-]+)?$/;

/** The resource, or a sentence that says why it cannot be used. Memoized: a Task in a loop parses once. */
export function parseResource(text: string): Resource | string {
  const parsed = known.get(text) ?? parse(text);
  known.set(text, parsed);
  return parsed;
}

const known = new Map<string, Resource | string>();

function parse(text: string): Resource | string {
  if (lambdaArn.test(text)) return { type: 'lambda', operation: text, pattern: 'function', label: text };
  const [, type, operation, suffix] = integration.exec(text) ?? [];
  if (type === undefined || operation === undefined) return `The resource '${text}' is not supported`;
  const pattern = (suffix ?? 'requestResponse') as Pattern;
  // An SDK integration knows request-response and the callback, for every API action.
  const patterns = type.startsWith('aws-sdk:') ? every : optimized[`${type}:${operation}`];
  if (!patterns) return `The resource '${text}' names an integration that is not supported`;
  if (!patterns.includes(pattern)) return `The resource '${text}' does not support .${pattern}`;
  return { type, operation, pattern, label: suffix ? `${operation}.${suffix}` : operation };
}
