/** What a target receives: the event, a constant, a part of the event, or a template filled from it. */
import { AwsError } from '../../kernel.ts';

export interface TargetInput {
  readonly Input?: string;
  readonly InputPath?: string;
  readonly InputTransformer?: {
    readonly InputPathsMap?: Readonly<Record<string, string>>;
    readonly InputTemplate: string;
  };
}

/** The variables that a template may use without declaring them, beside `aws.events.event` and `.event.json`. */
export interface RuleVariables {
  readonly 'aws.events.rule-arn': string;
  readonly 'aws.events.rule-name': string;
  readonly 'aws.events.event.ingestion-time': string;
}

/** Checks paths and variables when the rule is made. Throws ValidationException. */
export function checkInput(input: TargetInput): void {
  if ([input.Input, input.InputPath, input.InputTransformer].filter((way) => way !== undefined).length > 1) {
    throw new AwsError('ValidationException', 'Only one of Input, InputPath, or InputTransformer must be provided.');
  }
  if (input.Input !== undefined) parseJson(input.Input);
  for (const path of [input.InputPath ?? '$', ...Object.values(input.InputTransformer?.InputPathsMap ?? {})])
    steps(path);
  const declared = Object.keys(input.InputTransformer?.InputPathsMap ?? {});
  const stranger = variablesIn(input.InputTransformer?.InputTemplate ?? '').find(
    (name) => !declared.includes(name) && !PREDEFINED.includes(name),
  );
  if (stranger) throw new AwsError('ValidationException', `InputTemplate contains invalid placeholder ${stranger}.`);
}

/** The text that the target receives. */
export function targetInput(input: TargetInput, event: object, rule: RuleVariables): string {
  if (input.Input !== undefined) return input.Input;
  if (input.InputPath !== undefined) return JSON.stringify(select(event, input.InputPath) ?? null);
  if (input.InputTransformer) return transform(input.InputTransformer, event, rule);
  return JSON.stringify(event);
}

const PREDEFINED = [
  'aws.events.rule-arn',
  'aws.events.rule-name',
  'aws.events.event.ingestion-time',
  'aws.events.event',
  'aws.events.event.json',
];
const VARIABLE = /<([A-Za-z][\w.-]*)>/g;
const variablesIn = (template: string) => [...template.matchAll(VARIABLE)].map(([, name = '']) => name);

/**
 * Outside quotes a variable becomes its JSON; inside quotes a string loses its own quotes and anything else is put in
 * as it is. A variable whose path finds nothing becomes nothing inside quotes, and an empty string outside.
 */
function transform(
  transformer: NonNullable<TargetInput['InputTransformer']>,
  event: object,
  rule: RuleVariables,
): string {
  const { detail: _, ...withoutDetail } = event as Record<string, unknown>;
  const values: Record<string, unknown> = {
    ...rule,
    'aws.events.event': withoutDetail,
    'aws.events.event.json': event,
  };
  for (const [name, path] of Object.entries(transformer.InputPathsMap ?? {})) values[name] = select(event, path);
  const template = transformer.InputTemplate;
  return template.replace(VARIABLE, (_match, name: string, offset: number) => {
    const value = values[name];
    const json = JSON.stringify(value ?? '');
    if (!isInsideQuotes(template, offset)) return json;
    return typeof (value ?? '') === 'string' ? json.slice(1, -1) : json;
  });
}

const isInsideQuotes = (template: string, offset: number) =>
  (template.slice(0, offset).match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1;

/** The subset of JSONPath that EventBridge documents: dots, and brackets with an index or a quoted name. */
function steps(path: string): string[] {
  const found = /^\$((?:\.[\w-]+|\[\d+\]|\['[^']+'\])*)$/.exec(path);
  if (!found) throw new AwsError('ValidationException', `Invalid JSON path ${path}.`);
  return [...(found[1] ?? '').matchAll(/\.([\w-]+)|\[(\d+)\]|\['([^']+)'\]/g)].map(
    ([, name, index, quoted]) => name ?? index ?? quoted ?? '',
  );
}

function select(event: unknown, path: string): unknown {
  return steps(path).reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], event);
}

function parseJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new AwsError('ValidationException', 'Input must be valid JSON.');
  }
}
