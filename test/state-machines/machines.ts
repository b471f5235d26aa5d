/** The state machines in Git, as graphs to make test cases from, and run with functions that a test scripts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Catcher, Definition, Flow, Retrier, State, TaskState } from '../../local/states/definition.ts';
import { StatesError } from '../../local/states/errors.ts';
import type { Json, JsonObject } from '../../local/states/json.ts';
import { matches } from '../../local/states/retry-catch.ts';
import { run } from '../local/states/run.ts';

const folder = join(import.meta.dirname, '../../state-machines');

/** Names of the machines: `database-recovery`. */
export const machines = readdirSync(folder)
  .filter((file) => file.endsWith('.asl.json'))
  .map((file) => file.replace('.asl.json', ''));

/** The text of the file; parse it anew wherever something may change it. */
export const sourceOf = (machine: string) => readFileSync(join(folder, `${machine}.asl.json`), 'utf8');

/** Names of the substitutions in a file. */
export const substitutionsOf = (source: string) => [
  ...new Set([...source.matchAll(/\$\{([^}]*)\}/g)].map(([, name = '']) => name)),
];

/** A state with its name and the states around it, the innermost first. */
export interface Placed<S extends State = State> {
  readonly name: string;
  readonly state: S;
  readonly around: readonly Placed[];
}

/** Every state of a flow and of the flows within it. */
export function placesIn(flow: Flow, around: readonly Placed[] = []): readonly Placed[] {
  return Object.entries(flow.States).flatMap(([name, state]) => {
    const place = { name, state, around };
    const inner = state.Type === 'Parallel' ? state.Branches : state.Type === 'Map' ? [state.ItemProcessor] : [];
    return [place, ...inner.flatMap((each) => placesIn(each, [place, ...around]))];
  });
}
export const isTask = (place: Placed): place is Placed<TaskState> => place.state.Type === 'Task';
export const tasksIn = (flow: Flow) => placesIn(flow).filter(isTask);
export const retriersOf = ({ state }: Placed): readonly Retrier[] => ('Retry' in state ? (state.Retry ?? []) : []);
export const catchersOf = ({ state }: Placed): readonly Catcher[] => ('Catch' in state ? (state.Catch ?? []) : []);

/** Runs in CodeBuild: a step with more time. */
export const isJob = ({ state }: Placed<TaskState>) => state.Resource.includes(':codebuild:');

/** What a task hands to its step, field by field as expressions; a job's payload is one expression that makes JSON. */
export function payloadOf(state: TaskState): Readonly<Record<string, string>> {
  const { Payload, EnvironmentVariablesOverride: variables = [] } = state.Arguments as {
    Payload?: Record<string, string>;
    EnvironmentVariablesOverride?: readonly Variable[];
  };
  if (Payload) return Payload;
  const fields = variableOf(variables, 'INPUT').matchAll(/'(\w+)': ([^,}]+?)(?= ?[,}])/g);
  return Object.fromEntries([...fields].map(([, name, value]) => [name, `{% ${value} %}`]));
}

interface Variable {
  readonly Name: string;
  readonly Value: string;
}
const variableOf = (variables: readonly Variable[], name: string) =>
  variables.find(({ Name }) => Name === name)?.Value ?? '';

/** Where an error that nothing retries leads: the innermost state around it that catches it, and its catcher. */
export function routeOf(place: Placed, error: string): { readonly at: Placed; readonly catcher: Catcher } | undefined {
  for (const at of [place, ...place.around]) {
    const catcher = catchersOf(at).find(({ ErrorEquals }) => matches(ErrorEquals, error));
    if (catcher) return { at, catcher };
  }
  return undefined;
}

/** One call of a function by a state. */
export interface Visited {
  readonly state: string;
  readonly payload: JsonObject;
}
/** What the functions called by a state answer: the payload, or a failure to throw. */
export type Script = Readonly<Record<string, (payload: JsonObject, call: number) => Json>>;

export const fail = (error: string, cause = `why ${error}`): never => {
  throw new StatesError(error, cause);
};

/** Substitutions that are values; every other one is a function. */
export const numbers: Readonly<Record<string, string>> = {
  ValidationConcurrency: '2',
  ApprovalTimeoutSeconds: '3600',
  TerraformStateBucket: 'state-bucket',
  TerraformStateKey: 'production-dr/terraform.tfstate',
  TerraformLockTable: 'locks',
  TerraformVariables: 'production-dr.tfvars',
  Workload: 'stocker-api',
  AccessRoles: "['arn:aws:iam::111122223333:role/looks']",
};

/** A definition with its substitutions replaced: functions by their name, numbers as above. */
export const definitionOf = (machine: string): Definition =>
  JSON.parse(sourceOf(machine).replace(/\$\{(\w+)\}/g, (_, name) => numbers[name] ?? name));

/** A task's limit at most: a number, or a substituted one, which only an expression can hold, or the lesser of two. */
export const limitOf = ({ state: { TimeoutSeconds } }: Placed<TaskState>): number =>
  Number(String(TimeoutSeconds).replace(/^\{% (?:\$max\(\[1, \$min\(\[)?(\d+)\b.* %\}$/, '$1'));

/** What steps answer when all is well. */
export const healthy: Script = {
  AcceptRequest: () => ({ incident: { id: 'drill-1', mode: 'drill' } }),
  AssessDatabase: () => ({ candidate: 'dr-drill-db-1' }),
  AwaitUsable: () => ({ identifier: 'dr-drill-db-1' }),
  PlanGate: () => ({ pieces: [{ id: 'a' }, { id: 'b' }, { id: 'c' }], until: Number.MAX_SAFE_INTEGER }),
  PlanDeep: () => ({ pieces: [{ id: 'd' }] }),
  CheckGate: ({ piece = null }) => ({ id: piece, verdict: 'passed' }),
  CheckDeep: ({ piece = null }) => ({ id: piece, verdict: 'passed' }),
  JudgeGate: () => ({ verdict: 'passed', again: [] }),
  JudgeDeep: () => ({ verdict: 'passed', again: [] }),
  CloseIncident: () => ({ status: 'closed' }),
};

/** What differs in a recovery that asks, and is approved; give it after `healthy`. */
export const recovery: Script = {
  AcceptRequest: () => ({ incident: { id: 'recovery-1', mode: 'recovery' } }),
  AssessDatabase: () => ({ candidate: 'db-1', approval: 'ask' }),
  RequestApproval: () => ({ approved: true, by: 'alice', reason: 'the table is gone' }),
  Replan: () => ({ candidate: 'db-2', approval: 'ask' }),
  AwaitUsable: () => ({ identifier: 'db-2' }),
};

/** What differs in a repair of named tables; give it after `healthy`. */
export const repairing: Script = {
  ...recovery,
  AcceptRequest: () => ({ incident: { id: 'recovery-1', mode: 'recovery', scope: { tables: ['stocker.product'] } } }),
  AssessDatabase: () => ({ candidate: 'dr-drill-db-1', approval: 'ask' }),
  Replan: () => ({ candidate: 'dr-drill-db-1', approval: 'ask' }),
  AwaitUsable: () => ({ identifier: 'dr-drill-db-1' }),
  RepairTables: () => ({ identifier: 'db-0' }),
};

/** An answer that never comes: nobody answers RequestApproval's question, any other function runs on and on. */
export const silence = 'silence';

/** As a build exports it. A failure of Step Functions' or CodeBuild's own name is the build's: it died, or never began. */
function outcomeOf(job: () => Json): { Name: string; Value: string } {
  const told = (outcome: Json) => ({ Name: 'OUTCOME', Value: JSON.stringify(outcome) });
  try {
    return told({ output: job() });
  } catch (error) {
    if (!(error instanceof StatesError) || /^(States|CodeBuild)\./.test(error.error)) throw error;
    return told({ failure: { Error: error.error, Cause: error.cause } });
  }
}

/** Runs the real definition to its end on a clock that jumps. Which state calls is what its payload says, or the function's name. */
export async function play(machine: string, script: Script = {}, input: Json = { mode: 'drill' }) {
  const calls: Visited[] = [];
  const counts = new Map<string, number>();
  const ended = await run(definitionOf(machine), {
    input,
    async invoke({ arguments: given, resource }, callbacks): Promise<Json> {
      const called = (state: string, payload: JsonObject): Json => {
        const call = (counts.get(state) ?? 0) + 1;
        counts.set(state, call);
        calls.push({ state, payload });
        return (script[state] ?? healthy[state] ?? (() => ({})))(payload, call);
      };
      if (resource.type === 'codebuild') {
        const { EnvironmentVariablesOverride } = given as unknown as { EnvironmentVariablesOverride: Variable[] };
        const payload = JSON.parse(variableOf(EnvironmentVariablesOverride, 'INPUT'));
        return { Build: { ExportedEnvironmentVariables: [outcomeOf(() => called(payload.step, payload))] } };
      }
      const { FunctionName, Payload: payload } = given as { FunctionName: string; Payload: JsonObject };
      const state = typeof payload.step === 'string' ? payload.step : FunctionName;
      const answer = called(state, payload);
      // A person answers with the token; the function's own answer is nothing.
      if (resource.pattern === 'waitForTaskToken' && answer !== silence)
        callbacks.succeed(String(payload.taskToken), answer);
      if (resource.pattern !== 'waitForTaskToken' && answer === silence) return new Promise(() => {});
      return { StatusCode: 200, Payload: answer };
    },
  });
  const entered = ended.events.flatMap(({ stateEnteredEventDetails: details }) =>
    details?.name ? [details.name] : [],
  );
  return {
    ...ended,
    calls,
    entered,
    states: calls.map(({ state }) => state),
    payloadsOf: (state: string) => calls.filter((each) => each.state === state).map(({ payload }) => payload),
  };
}

/** A Task that ends with this error. */
export const failing = (state: string, error = 'Boom'): Script => ({ [state]: () => fail(error) });

/** A cause as Lambda gives it. */
export const boom = { Error: 'Boom', Cause: 'why Boom' };
