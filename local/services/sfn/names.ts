/** Names and ARNs of state machines and executions. */
import { AwsError } from '../../kernel.ts';

export const machineArn = (region: string, account: string, name: string): string =>
  `arn:aws:states:${region}:${account}:stateMachine:${name}`;

export const executionArn = (machine: string, name: string): string =>
  `${machine.replace(':stateMachine:', ':execution:')}:${name}`;

/** Throws InvalidArn unless `arn` has the form of the given resource. */
export function checkArn(arn: string | undefined, kind: 'stateMachine' | 'execution'): string {
  const names = kind === 'execution' ? '[^:]+:[^:]+' : '[^:]+';
  if (arn && new RegExp(`^arn:aws[a-z-]*:states:[a-z0-9-]+:\\d{12}:${kind}:${names}$`).test(arn)) return arn;
  throw new AwsError('InvalidArn', `Invalid Arn: 'Invalid ARN prefix or format: ${arn ?? ''}'`);
}

/** The API reference: no white space, brackets, wildcards, special or control characters; at most 80 characters. */
export function checkName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the API reference forbids control characters
  if (name.length >= 1 && name.length <= 80 && !/[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]/.test(name))
    return name;
  throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
}
