/** A Home for testing one service on its own: a clock moved by hand, recorded calls, no authorization. */

import type { BusEvent, Call, Clock, Home, Principal, Service, ServiceDefinition } from '../../../local/kernel.ts';
import { createOutages } from '../../../local/outages.ts';
import { machineWorld } from '../../../local/world.ts';

export interface ManualClock extends Clock {
  /** Moves time on, ending every wait that falls due, in order. */
  advance(ms: number): Promise<void>;
}

/** Starts at 2026-01-01T00:00:00Z. Waits end only by `advance`. */
export function manualClock(factor = 1): ManualClock {
  let now = Date.UTC(2026, 0, 1);
  let sequence = 0;
  const waits = new Map<number, { readonly at: number; readonly end: () => void }>();
  const limit = (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const id = sequence++;
      const abort = () => {
        waits.delete(id);
        reject(signal?.reason);
      };
      waits.set(id, {
        at: now + ms,
        end: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  const scale = (ms: number) => ms / factor;
  return {
    kind: factor === 1 ? 'virtual' : 'scaled',
    factor,
    now: () => now,
    scale,
    limit,
    sleep: (ms, signal) => limit(scale(ms), signal),
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (;;) {
        const [due] = [...waits].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at);
        if (!due) break;
        waits.delete(due[0]);
        now = Math.max(now, due[1].at);
        due[1].end();
        await settle();
      }
      now = until;
      await settle();
    },
  };
}

/** Lets everything run that waits for no clock. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export interface RecordedCall {
  readonly service: string;
  readonly operation: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into inputs of every operation
  readonly input: any;
  readonly as: Principal;
  readonly region: string;
}

export interface FakeHome extends Home {
  readonly clock: ManualClock;
  readonly calls: RecordedCall[];
  readonly events: BusEvent[];
  readonly metrics: {
    namespace: string;
    metric: string;
    dimensions: Readonly<Record<string, string>>;
    value: number;
  }[];
  /** What every call answers; throws to make it fail. */
  answer: (call: RecordedCall) => unknown;
  /** Calls to one operation, in order. */
  callsTo(service: string, operation: string): RecordedCall[];
}

export const ACCOUNT = '111122223333';
export const REGION = 'us-east-1';
export const arnOf = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
export const operator: Principal = { kind: 'operator', arn: `arn:aws:iam::${ACCOUNT}:root`, accessKeyId: 'AKIATEST' };
export const context = {
  stackName: 'stack',
  logicalId: 'Thing',
  account: ACCOUNT,
  region: REGION,
  assemblyDirectory: '/nowhere',
};

const absent = (what: string) => () => {
  throw new Error(`the fake home has no ${what}`);
};

export function fakeHome(factor = 1): FakeHome {
  const calls: RecordedCall[] = [];
  const events: BusEvent[] = [];
  const metrics: FakeHome['metrics'] = [];
  const sink = {
    operations: {},
    record: (namespace: string, metric: string, dimensions: Readonly<Record<string, string>>, value: number) =>
      void metrics.push({ namespace, metric, dimensions, value }),
  };
  const clock = manualClock(factor);
  const home: FakeHome = {
    account: ACCOUNT,
    region: REGION,
    regions: [REGION, 'us-west-2'],
    clock,
    world: machineWorld(clock),
    darkness: createOutages(),
    dataDirectory: '/nowhere',
    endpoint: 'http://127.0.0.1:4566',
    certificateAuthority: '',
    faults: { before: async () => undefined, after: async () => undefined },
    calls,
    events,
    metrics,
    answer: () => ({}),
    callsTo: (service, operation) => calls.filter((call) => call.service === service && call.operation === operation),
    async call<O>(service: string, operation: string, input: object, as: Principal, region = REGION): Promise<O> {
      const call = { service, operation, input, as, region };
      calls.push(call);
      return home.answer(call) as O;
    },
    service: (): Service => sink,
    emit: (event) => void events.push(event),
    issueCredentials: absent('credentials'),
    authenticate: absent('signatures'),
    images: {},
    issueCertificate: absent('certificates'),
  };
  return home;
}

/** Makes a service and calls its operations as the wire does: access first, then run. */
export function serve<S extends Service>(definition: ServiceDefinition, home: Home) {
  const service = definition.create(home) as S;
  const callOf = (principal: Principal): Call => ({ account: ACCOUNT, region: REGION, principal, requestId: 'r' });
  const operationOf = (name: string) => {
    const operation = service.operations[name];
    if (!operation) throw new Error(`${definition.name} has no operation ${name}`);
    return operation;
  };
  return {
    service,
    // biome-ignore lint/suspicious/noExplicitAny: tests look into outputs of every operation
    async call(name: string, input: object, as: Principal = operator): Promise<any> {
      await operationOf(name).access(input, callOf(as));
      return operationOf(name).run(input, callOf(as));
    },
    async access(name: string, input: object, as: Principal = operator) {
      return operationOf(name).access(input, callOf(as));
    },
    async deploy(type: string, properties: Record<string, unknown>) {
      const provider = service.resources?.[type];
      if (!provider) throw new Error(`${definition.name} has no resource type ${type}`);
      return provider.create(properties, context);
    },
  };
}
