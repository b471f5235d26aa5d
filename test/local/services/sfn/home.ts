/** A Region with Step Functions alone: other services are what a test says, calls and events are recorded. */
import type { BusEvent, Call, Home, Operation, Principal, ServiceName } from '../../../../local/kernel.ts';
import { createSfn, type SfnService } from '../../../../local/services/sfn/index.ts';
import { type TestClock, testClock } from '../../states/test-clock.ts';

export const account = '111122223333';
export const region = 'us-east-1';
export const roleArn = `arn:aws:iam::${account}:role/machine`;

export type Answer = (service: ServiceName, operation: string, input: Record<string, unknown>) => unknown;

export interface Region {
  readonly service: SfnService;
  readonly clock: TestClock;
  readonly events: readonly BusEvent[];
  readonly calls: readonly { service: ServiceName; operation: string; input: object; as: Principal }[];
  /** Calls an operation as an operator, its access declared first. */
  api<O = Record<string, unknown>>(operation: string, input: object): Promise<O>;
  /** Deploys a machine and returns its ARN. */
  deploy(definition: object, properties?: object): Promise<string>;
  /** Starts an execution and returns its ARN. */
  start(machine: string, input?: object): Promise<string>;
}

export function makeRegion(answer: Answer = () => ({}), assemblyDirectory = '/none'): Region {
  const clock = testClock();
  const events: BusEvent[] = [];
  const calls: { service: ServiceName; operation: string; input: object; as: Principal }[] = [];
  const invoke = async (
    operations: Readonly<Record<string, Operation>>,
    name: string,
    input: object,
    principal: Principal,
  ) => {
    const call: Call = { account, region, principal, requestId: 'r' };
    const operation = operations[name];
    if (!operation) throw new Error(`no operation ${name}`);
    await operation.access(input, call);
    return operation.run(input, call);
  };
  const home = {
    account,
    region,
    regions: [region],
    clock,
    emit: (event: BusEvent) => void events.push(event),
    async call(service: ServiceName, operation: string, input: object, as: Principal) {
      calls.push({ service, operation, input, as });
      return service === 'sfn'
        ? invoke(sfn.operations, operation, input, as)
        : answer(service, operation, input as Record<string, unknown>);
    },
  } as unknown as Home;
  const sfn = createSfn(home);
  const operator: Principal = { kind: 'operator', arn: `arn:aws:iam::${account}:root`, accessKeyId: 'k' };
  const api = <O>(name: string, input: object) => invoke(sfn.operations, name, input, operator) as Promise<O>;
  let machines = 0;
  return {
    service: sfn,
    clock,
    events,
    calls,
    api,
    async deploy(definition, properties = {}) {
      const provider = sfn.resources?.['AWS::StepFunctions::StateMachine'];
      const context = {
        stackName: 'stack',
        logicalId: 'Machine',
        account,
        region,
        assemblyDirectory,
      };
      const made = await provider?.create(
        {
          StateMachineName: `machine-${++machines}`,
          RoleArn: roleArn,
          DefinitionString: JSON.stringify({ QueryLanguage: 'JSONata', ...definition }),
          ...properties,
        },
        context,
      );
      return String(made?.ref);
    },
    async start(stateMachineArn, input = {}) {
      const { executionArn } = await api<{ executionArn: string }>('StartExecution', { stateMachineArn, ...input });
      return executionArn;
    },
  };
}

/** What an operation throws, as the wire would name it. */
export const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing thrown',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
