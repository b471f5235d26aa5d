/** How a service declares its operations and resource types: what it honours is listed, so whatever else is asked is refused by name. */
import {
  type Access,
  AwsError,
  type Call,
  type Operation,
  type ResourceContext,
  type ResourceProvider,
} from '../kernel.ts';

type Members<I> = readonly (keyof I & string)[];

/**
 * An operation that refuses every input member outside `members`, so that nothing is silently ignored.
 * `access` returns what the Service Authorization Reference lists for the action; `run` acts.
 */
export function operation<I extends object, O extends object = object>(
  members: Members<I>,
  access: (input: I, call: Call) => Access | readonly Access[] | Promise<Access | readonly Access[]>,
  run: (input: I, call: Call) => Omit<O, '$metadata'> | Promise<Omit<O, '$metadata'>>,
): Operation<I, Omit<O, '$metadata'>> {
  return {
    async access(input, call) {
      const needed = await access(input, call);
      return 'action' in needed ? [needed] : needed;
    },
    run(input, call) {
      refuseUnknown('the input', input, members);
      return run(input, call);
    },
  };
}

/** A resource type that refuses every property outside `properties`. */
export function provider<P extends object>(
  type: string,
  properties: Members<P>,
  create: (properties: P, context: ResourceContext) => ReturnType<ResourceProvider['create']>,
): Record<string, ResourceProvider> {
  return {
    [type]: {
      create(given, context) {
        refuseUnknown(`${type} (${context.logicalId})`, given, properties);
        return create(given as P, context);
      },
    },
  };
}

/** Throws NotImplemented naming the first member of `given` that is neither honoured nor recorded. */
export function refuseUnknown(what: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given))
    if (!known.includes(name) && (given as Record<string, unknown>)[name] !== undefined)
      throw notImplemented(`${name} of ${what}`);
}

export const notImplemented = (what: string): AwsError =>
  new AwsError('NotImplemented', `The embedded cloud does not implement ${what}.`);

/** CloudFormation gives booleans and numbers also as strings. */
export const isTrue = (value: unknown): boolean => value === true || value === 'true';

/** One page of a list; the token is the index of the next page's first element. */
export function page<T>(all: readonly T[], token: string | undefined, limit: number): { items: T[]; next?: string } {
  const from = token ? Number(Buffer.from(token, 'base64url').toString() || 'none') : 0;
  if (!Number.isInteger(from) || from < 0) throw new AwsError('ValidationException', 'The token is not valid.');
  const items = all.slice(from, from + limit);
  const next = from + limit;
  return next < all.length ? { items, next: Buffer.from(String(next)).toString('base64url') } : { items };
}

/** The ARN of the account's IAM identity, as policies name the root of an account. */
export const accountRoot = (account: string): string => `arn:aws:iam::${account}:root`;
