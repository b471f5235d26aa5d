/** How callers name a function: by name, partial or whole ARN, each with an optional qualifier. */
import { AwsError, type Home } from '../../kernel.ts';

export interface FunctionAddress {
  readonly name: string;
  /** A version, an alias or `$LATEST`; undefined: the function itself. */
  readonly qualifier?: string;
}

const pattern =
  /^(?:arn:aws:lambda:(?<region>[a-z0-9-]+):)?(?:(?<account>\d{12}):)?(?:function:)?(?<name>[\w-]+)(?::(?<qualifier>[\w$-]+))?$/;

/** Throws InvalidParameterValueException for what names no function, ResourceNotFoundException for another Region's or account's. */
export function parseFunctionName(home: Home, given: string | undefined, qualifier?: string): FunctionAddress {
  const parts = pattern.exec(given ?? '')?.groups;
  if (parts?.name === undefined) {
    throw new AwsError(
      'InvalidParameterValueException',
      `FunctionName ${given} is neither a name nor an ARN of a function`,
    );
  }
  const { region = home.region, account = home.account, name } = parts;
  if (region !== home.region || account !== home.account) {
    throw new AwsError(
      'ResourceNotFoundException',
      `Functions from '${region}' of account ${account} are not reachable in this region ('${home.region}')`,
    );
  }
  const own = parts.qualifier ?? qualifier;
  return own === undefined ? { name } : { name, qualifier: own };
}

export function functionArn({ region, account }: Home, { name, qualifier }: FunctionAddress): string {
  return `arn:aws:lambda:${region}:${account}:function:${name}${qualifier === undefined ? '' : `:${qualifier}`}`;
}

export function notFound(arn: string): AwsError {
  return new AwsError('ResourceNotFoundException', `Function not found: ${arn}`, { Type: 'User' });
}
