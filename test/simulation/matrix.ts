/** Every Task of the machine, met by every kind of fault: where the fault strikes, and what became of the recovery. */
import { findFunctions } from '../../lib/bundle.ts';
import type { FaultEffect } from '../../local/faults.ts';
import { AwsError, type Call, type ServiceName } from '../../local/kernel.ts';
import type { SfnService } from '../../local/services/sfn/index.ts';
import { isJob, sourceOf, tasksIn } from '../state-machines/machines.ts';
import type { Stage } from './actors.ts';
import type { Plan } from './plan.ts';
import { type Result, type RunOptions, simulate } from './run.ts';

export const kinds = ['retryable', 'terminal', 'timeout', 'crash before', 'crash after', 'denied'] as const;
export type Kind = (typeof kinds)[number];

export interface Cell {
  readonly task: string;
  readonly kind: Kind;
}

export interface Outcome extends Cell {
  /** `Succeeded`, or what it failed with. */
  readonly end: string;
  readonly struck: boolean;
  readonly violations: Result['violations'];
  readonly story: Result['story'];
}

const machine = 'database-recovery';
const definition = () => JSON.parse(sourceOf(machine));

/** Tasks that are functions. Jobs run in CodeBuild, which is not simulated: the end-to-end tests have them. */
export const tasks = (): string[] =>
  tasksIn(definition())
    .filter((place) => !isJob(place))
    .map(({ name }) => name);

export const jobs = (): string[] =>
  tasksIn(definition())
    .filter(isJob)
    .map(({ name }) => name);

const plan = (beginning: Plan['beginning'], change: Partial<Plan> = {}): Plan => ({
  seed: 1,
  beginning,
  acts: [{ kind: 'answer', answer: 'approve', afterMs: 20_000, twice: false, latest: false }],
  faults: [],
  skewMs: 0,
  ...change,
});

/** Between them, these reach every Task. */
const bases: readonly Plan[] = [
  plan({ kind: 'recovery', restoreTo: 'latest' }),
  plan({ kind: 'drill', restoreTo: 'latest' }),
  plan({ kind: 'recovery', restoreTo: 'latest' }, { faults: [{ kind: 'restore', ends: 'incompatible-restore' }] }),
  plan({ kind: 'refused' }),
];

/** Task → the plan that reaches it, found by running them. */
export async function reach(options: RunOptions): Promise<Map<string, Plan>> {
  const found = new Map<string, Plan>();
  for (const base of bases) {
    const { executions } = await simulate(base, options);
    const names = new Set(executions[0]?.states.map(({ name }) => name));
    for (const task of tasks()) if (names.has(task) && !found.has(task)) found.set(task, base);
  }
  return found;
}

export async function meet(cell: Cell, base: Plan, options: RunOptions): Promise<Outcome> {
  let struck = false;
  const onReady = (stage: Stage) =>
    injectAt(cell, stage, () => {
      struck = true;
    });
  const { executions, violations, story } = await simulate(base, { ...options, onReady });
  const [first] = executions;
  return { ...cell, struck, violations, story, end: first?.error ?? first?.status ?? 'never started' };
}

/** From the first time on that the Task is entered. */
function injectAt({ task, kind }: Cell, { site }: Stage, onStrike: () => void): void {
  const { cloud, world } = site;
  const { primary } = site.configuration;
  let entered = false;
  (cloud.service('sfn', primary.region) as SfnService).onHistory((_arn, event) => {
    if (entered || event.stateEnteredEventDetails?.name !== task) return;
    entered = true;
    const rule = ruleOf(kind, functionOf(task, site.names), world.clock.sleep);
    cloud.faults.inject({
      ...rule,
      where(input, call) {
        const strikes = rule.where(input, call);
        if (strikes) onStrike();
        return strikes;
      },
    });
  });
}

interface Rule {
  readonly service: ServiceName | '*';
  readonly operation: string | RegExp;
  readonly times?: number;
  readonly where: (input: Readonly<Record<string, unknown>>, call: Call) => boolean;
  readonly effect: FaultEffect;
}

const changes = /^(Put|Update|Delete|Create|Restore|Modify|Publish|Send|Start|Stop)/;
const hours = 3_600_000;

function ruleOf(kind: Kind, functionName: string, sleep: (ms: number) => Promise<void>): Rule {
  const invoked = {
    service: 'lambda',
    operation: 'Invoke',
    where: (input: Readonly<Record<string, unknown>>) => String(input.FunctionName).includes(functionName),
  } as const;
  // Its log is the runtime's, not the function's.
  const isOwn = (input: Readonly<Record<string, unknown>>, { principal }: Call) =>
    principal.kind === 'role' && principal.sessionName === functionName && input.logGroupName === undefined;
  const calls = { service: '*', operation: '*' } as const;
  switch (kind) {
    case 'retryable':
      return { ...invoked, times: 2, effect: { kind: 'throw', error: new AwsError('ServiceException', 'simulated') } };
    case 'terminal':
      return { ...invoked, times: 1, effect: { kind: 'answer', output: terminal } };
    case 'timeout':
      return { ...invoked, times: 1, effect: { kind: 'hold', until: () => sleep(10 * hours) } };
    case 'crash before':
      return { ...calls, times: 1, where: isOwn, effect: { kind: 'crash', when: 'before' } };
    case 'crash after':
      return { ...calls, operation: changes, times: 1, where: isOwn, effect: { kind: 'crash', when: 'after' } };
    case 'denied':
      return { ...calls, where: isOwn, effect: { kind: 'deny' } };
  }
}

const terminal = {
  StatusCode: 200,
  FunctionError: 'Unhandled',
  Payload: Buffer.from(JSON.stringify({ errorType: 'SimulatedTerminalError', errorMessage: 'simulated' })),
};

/** The physical name of a Task's function. */
function functionOf(task: string, names: Stage['site']['names']): string {
  const place = tasksIn(definition()).find(({ name }) => name === task);
  const { FunctionName = '' } = (place?.state.Arguments ?? {}) as { FunctionName?: string };
  const logical = /\$\{(\w+)\}/.exec(FunctionName)?.[1] ?? task;
  const verb = logical.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase();
  const path = findFunctions().find((each) => each.endsWith(`/${verb}`));
  if (path === undefined) throw new Error(`${task} calls ${logical}, and no function is named so`);
  return names.lambda(path);
}
