/**
 * The one path of every call, from the wire or from a service: who calls, what the operation needs, whether
 * policies allow it, then the operation, with the injected faults around it.
 */
import { randomUUID } from 'node:crypto';
import { authorize, type PolicySources } from './authorization/authorize.ts';
import { accountOf } from './authorization/evaluate.ts';
import type { Trail } from './cloudtrail/trail.ts';
import { InjectedAnswer } from './faults.ts';
import { AwsError, type Call, type Faults, type Principal, type Service, type ServiceName } from './kernel.ts';
import type { Outages } from './outages.ts';

/** Runs an operation for a caller. Throws AwsError. */
export type Dispatch = (service: ServiceName, operation: string, input: object, caller: Caller) => Promise<unknown>;

export interface Caller {
  readonly region: string;
  readonly principal: Principal;
  /** Of the service that makes the call in its own name. */
  readonly account?: string;
  readonly requestId?: string;
  readonly accessKeyId?: Call['accessKeyId'];
  /** The Region that it comes from, where a service of one makes it: within a dark Region nobody is refused, all stand still. */
  readonly from?: string;
  /** The Region that whoever signed the call is in; the operator is nowhere. */
  readonly origin?: string | undefined;
}

export interface DispatchOptions {
  /** Of the assemblies, and of whoever calls in nobody's name. */
  readonly account: string;
  readonly faults: Faults;
  readonly policies: PolicySources;
  readonly outages: Outages;
  readonly trail: Trail;
  /** Where a call to a service in that Region really goes. */
  homeOfCalls(name: ServiceName, region: string): string;
  service(name: ServiceName, region: string, account: string): Service;
}

export function createDispatch(options: DispatchOptions): Dispatch {
  const { account, faults, policies, outages, trail, homeOfCalls, service } = options;
  return async (name, operationName, input, caller) => {
    const { principal, accessKeyId, from, origin = from } = caller;
    const region = homeOfCalls(name, caller.region);
    const refused = (): Promise<never> | undefined => {
      if (outages.isDark(region) && from !== region) return outages.refuse(region);
      const isCutOff = origin !== undefined && outages.isParted(origin, region);
      return isCutOff ? outages.refuseParted(origin, region) : undefined;
    };
    await refused();
    const own = accountOf(principal) ?? caller.account ?? account;
    const requestId = caller.requestId ?? randomUUID();
    const call: Call = { account: own, region, principal, requestId, accessKeyId };
    const { operations } = service(name, call.region, call.account);
    const operation = Object.hasOwn(operations, operationName) ? operations[operationName] : undefined;
    if (operation === undefined) {
      throw new AwsError('NotImplemented', `${name}:${operationName} is not implemented by the embedded cloud`);
    }
    const injected = await faults.before(name, operationName, input, call).catch(answerOf);
    if (injected !== undefined) return injected;
    let output: unknown;
    try {
      authorize(call.principal, await operation.access(input, call), policies, call);
      output = await operation.run(input, call);
    } catch (error) {
      trail.record(name, operationName, input, call, { error });
      throw error;
    }
    trail.record(name, operationName, input, call, { output });
    await faults.after(name, operationName, input, call);
    // It took effect, but the Region went dark, or its way was cut, before its answer was out.
    await refused();
    return output;
  };
}

function answerOf(thrown: unknown): object {
  if (thrown instanceof InjectedAnswer) return thrown.output;
  throw thrown;
}
