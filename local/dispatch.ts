/**
 * The one path of every call, from the wire or from a service: who calls, what the operation needs, whether
 * policies allow it, then the operation, with the injected faults around it.
 */
import { randomUUID } from 'node:crypto';
import {
  type Access,
  AwsError,
  type Call,
  type Faults,
  type Principal,
  type Service,
  type ServiceName,
} from './kernel.ts';

/** Throws AwsError (AccessDenied…) unless every access is allowed to the principal. */
export type Authorize = (call: Call, accesses: readonly Access[]) => void | Promise<void>;

export interface Dispatch {
  /** Runs an operation for a principal. Throws AwsError. */
  (service: ServiceName, operation: string, input: object, caller: Caller): Promise<unknown>;
}
export interface Caller {
  readonly region: string;
  readonly principal: Principal;
  readonly requestId?: string;
  /** The key that signed the call, where one did: it tells one run of a function from another. */
  readonly accessKeyId?: string;
}

export interface DispatchOptions {
  readonly account: string;
  readonly faults: Faults;
  readonly authorize: Authorize;
  service(name: ServiceName, region: string): Service;
}

export function createDispatch({ account, faults, authorize, service }: DispatchOptions): Dispatch {
  return async (name, operationName, input, caller) => {
    const call = { account, ...caller, requestId: caller.requestId ?? randomUUID() };
    const { operations } = service(name, call.region);
    const operation = Object.hasOwn(operations, operationName) ? operations[operationName] : undefined;
    if (operation === undefined) {
      throw new AwsError('NotImplemented', `${name}:${operationName} is not implemented by the embedded cloud`);
    }
    await faults.before(name, operationName, input, call);
    await authorize(call, await operation.access(input, call));
    const output = await operation.run(input, call);
    await faults.after(name, operationName, input, call);
    return output;
  };
}
