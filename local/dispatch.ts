/**
 * The one path of every call, from the wire or from a service: who calls, what the operation needs, whether
 * policies allow it, then the operation, with the injected faults around it.
 */
import { randomUUID } from 'node:crypto';
import { authorize, type PolicySources } from './authorization/authorize.ts';
import { InjectedAnswer } from './faults.ts';
import { AwsError, type Call, type Faults, type Principal, type Service, type ServiceName } from './kernel.ts';

/** Runs an operation for a caller. Throws AwsError. */
export type Dispatch = (service: ServiceName, operation: string, input: object, caller: Caller) => Promise<unknown>;

export interface Caller {
  readonly region: string;
  readonly principal: Principal;
  readonly requestId?: string;
  /** The key that signed the call, where one did: it tells one run of a function from another. */
  readonly accessKeyId?: string;
}

/** A call with the key that signed it, as the faults' rules see it. */
export type CallerCall = Call & Pick<Caller, 'accessKeyId'>;

export interface DispatchOptions {
  readonly account: string;
  readonly faults: Faults;
  readonly policies: PolicySources;
  service(name: ServiceName, region: string): Service;
}

export function createDispatch({ account, faults, policies, service }: DispatchOptions): Dispatch {
  return async (name, operationName, input, caller) => {
    const call: CallerCall = { account, ...caller, requestId: caller.requestId ?? randomUUID() };
    const { operations } = service(name, call.region);
    const operation = Object.hasOwn(operations, operationName) ? operations[operationName] : undefined;
    if (operation === undefined) {
      throw new AwsError('NotImplemented', `${name}:${operationName} is not implemented by the embedded cloud`);
    }
    const injected = await faults.before(name, operationName, input, call).catch(answerOf);
    if (injected !== undefined) return injected;
    authorize(call.principal, await operation.access(input, call), policies, call);
    const output = await operation.run(input, call);
    await faults.after(name, operationName, input, call);
    return output;
  };
}

function answerOf(thrown: unknown): object {
  if (thrown instanceof InjectedAnswer) return thrown.output;
  throw thrown;
}
