/** Every Task of the machines, met by every kind of fault: where the fault strikes, and what became of the recovery. */
import type { FaultEffect } from '../../local/faults.ts';
import { AwsError, type Call, type ServiceName } from '../../local/kernel.ts';
import type { SfnService } from '../../local/services/sfn/index.ts';
import { isJob, sourceOf, tasksIn } from '../state-machines/machines.ts';
import type { Fleet } from './fleet.ts';
import type { Plan } from './plan.ts';
import { type Result, simulate } from './run.ts';
import type { Stage } from './stage.ts';
import { regionOf } from './start.ts';
import { optionsFor, type Place } from './variants.ts';
import type { Answers } from './worker.ts';

export const kinds = ['retryable', 'terminal', 'timeout', 'crash before', 'crash after', 'denied'] as const;
export type Kind = (typeof kinds)[number];

export interface Cell {
  readonly machine: Machine;
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

export const machines = [
  'database-recovery',
  'cluster-recovery',
  'configuration-recovery',
  'region-failover',
  'region-failback',
  'backup',
  'readiness',
] as const;
export type Machine = (typeof machines)[number];
const definition = (machine: Machine) => JSON.parse(sourceOf(machine));

/** Tasks that are functions, and simulated. Jobs run in CodeBuild, which is not: the end-to-end tests have them. */
export const tasks = (machine: Machine): string[] =>
  tasksIn(definition(machine))
    .filter((place) => !isJob(place))
    .map(({ name }) => name);

export const jobs = (machine: Machine): string[] =>
  tasksIn(definition(machine))
    .filter(isJob)
    .map(({ name }) => name);

const approved: Plan['acts'] = [{ kind: 'answer', answer: 'approve', afterMs: 20_000, twice: false, latest: false }];
const home: Plan['acts'][number] = { kind: 'failback', afterMs: 60_000, twice: false };
const switchover = { kind: 'failover', mode: 'recovery', style: 'graceful' } as const;
const denied = (operation: string): Plan['faults'][number] => ({
  kind: 'call',
  fault: 'deny',
  service: 'rds',
  operation,
  fromMs: 0,
  times: 100,
});

const plan = (beginning: Plan['beginning'], change: Partial<Plan> = {}): Plan => ({
  seed: 1,
  beginning,
  acts: approved,
  faults: [],
  skewMs: 0,
  ...change,
});

/** Between them, these reach every Task of a machine. */
const bases: Readonly<Record<Machine, readonly Plan[]>> = {
  'database-recovery': [
    plan({ kind: 'recovery', restoreTo: 'latest' }),
    plan({ kind: 'drill', restoreTo: 'latest' }),
    plan({ kind: 'recovery', restoreTo: 'latest' }, { faults: [{ kind: 'restore', ends: 'incompatible-restore' }] }),
    plan({ kind: 'refused' }),
  ],
  'cluster-recovery': [plan({ kind: 'cluster' }), plan({ kind: 'refused', machine: 'cluster-recovery' })],
  'configuration-recovery': [
    plan({ kind: 'configuration', mode: 'recovery' }),
    plan({ kind: 'configuration', mode: 'drill' }),
    plan({ kind: 'refused', machine: 'configuration-recovery' }),
  ],
  'region-failover': [
    plan(switchover, { region: [] }),
    plan({ ...switchover, mode: 'drill' }, { region: [] }),
    plan(switchover, { region: [], faults: [denied('PromoteReadReplica')] }),
    plan({ ...switchover, style: 'ungraceful', waives: ['primary-lost'] }, { region: [] }),
    plan(
      { ...switchover, style: 'ungraceful', waives: ['primary-lost'] },
      { region: [{ kind: 'parted', fromMs: 0, manner: 'refuse' }], variant: 'strict-backups' },
    ),
    plan({ kind: 'refused', machine: 'region-failover' }, { region: [] }),
  ],
  'region-failback': [
    plan(switchover, { region: [], acts: [...approved, home] }),
    plan(switchover, { region: [], acts: [...approved, home], faults: [denied('CreateDBInstanceReadReplica')] }),
    plan({ kind: 'refused', machine: 'region-failback' }, { region: [] }),
  ],
  backup: [
    plan({ kind: 'backup', task: 'backup' }),
    // The proof restores what that backup made.
    plan({ kind: 'backup', task: 'backup' }, { acts: [{ kind: 'backup', task: 'prove', afterMs: 60 * 60_000 }] }),
  ],
  readiness: [plan({ kind: 'look' })],
};

export const basesOf = (machine: Machine): readonly Plan[] => bases[machine];

/** Task → the plan that reaches it, found by running them. */
export async function reach(machine: Machine, place: Place): Promise<Map<string, Plan>> {
  const found = new Map<string, Plan>();
  for (const base of bases[machine]) {
    const { executions } = await simulate(base, optionsFor(base, place));
    const own = executions.filter(({ arn }) => isOf(machine, arn));
    const names = new Set(own.flatMap(({ states }) => states.map(({ name }) => name)));
    for (const task of tasks(machine)) if (names.has(task) && !found.has(task)) found.set(task, base);
  }
  return found;
}

const isOf = (machine: Machine, arn: string) => arn.split(':').at(-2)?.endsWith(`-${machine}`) ?? false;

export async function meet(cell: Cell, base: Plan, place: Place): Promise<Outcome> {
  let struck = false;
  const onReady = (stage: Stage) =>
    injectAt(cell, stage, () => {
      struck = true;
    });
  const { executions, violations, story } = await simulate(base, { ...optionsFor(base, place), onReady });
  // Of a proof there are two executions: the backup before it, and itself.
  const first = executions.find(
    ({ arn, states }) => isOf(cell.machine, arn) && states.some(({ name }) => name === cell.task),
  );
  return { ...cell, struck, violations, story, end: first?.error ?? first?.status ?? 'never started' };
}

/** Every cell of these machines; a Task's whole row by the plan that reaches it. */
export async function meetAll(
  asked: readonly Machine[],
  fleet: Fleet,
  place: Place,
  onCell: (done: number, all: number) => void,
): Promise<Answers['cell'][]> {
  const all = asked.flatMap(tasks).length * kinds.length;
  let done = 0;
  const rows = asked.map(async (machine) => {
    const reached = new Map(await fleet.run<'reach'>({ kind: 'reach', machine, ...place }));
    const cells = tasks(machine).flatMap((task) => {
      const base = reached.get(task);
      if (base === undefined) throw new Error(`No plan reaches ${task}`);
      return kinds.map(async (kind) => {
        const outcome = await fleet.run<'cell'>({ kind: 'cell', cell: { machine, task, kind }, base, ...place });
        onCell(++done, all);
        return outcome;
      });
    });
    return Promise.all(cells);
  });
  return (await Promise.all(rows)).flat();
}

/** The table of a machine in a document that was written before. */
function tableIn(document: string, machine: Machine): string {
  const lines = document.split(`\n## ${machine}\n`)[1]?.split('\n## ')[0]?.split('\n') ?? [];
  return lines.filter((line) => line.startsWith('|')).join('\n');
}

/** docs/fault-matrix.md; of machines that were not asked for, what `before` says of them. */
export function matrixDocument(outcomes: readonly Answers['cell'][], before: string): string {
  const show = ({ end, struck, violations }: Answers['cell']) =>
    violations.length > 0
      ? '**violated**'
      : struck
        ? end === 'Succeeded'
          ? 'succeeds'
          : `\`${end}\``
        : 'nothing to strike';
  const table = (machine: Machine) => {
    if (!outcomes.some((each) => each.machine === machine)) return tableIn(before, machine);
    const rows = tasks(machine).map((task) => {
      const cells = kinds.map((kind) =>
        outcomes.find((each) => each.machine === machine && each.task === task && each.kind === kind),
      );
      return `| ${[task, ...cells.map((cell) => (cell ? show(cell) : '–'))].join(' | ')} |`;
    });
    return [`| Task | ${kinds.join(' | ')} |`, `| --- | ${kinds.map(() => '---').join(' | ')} |`, ...rows].join('\n');
  };
  return `# Fault matrix

How the execution ends when a Task meets a fault, the first time that it is entered. After every one of them the incident is closed or
failed, the lease released, the copy of a drill gone, one database at most open, and people told: the simulation's checker says so.
Generated by \`npm run simulate -- --matrix\`.

| Fault | What happens |
| --- | --- |
| retryable | Lambda fails twice with \`ServiceException\` |
| terminal | The function fails with an error that nobody retries |
| timeout | The function does not answer within the Task's \`TimeoutSeconds\` |
| crash before | The function dies at its first call |
| crash after | The function dies right after its first change took effect |
| denied | Every call of the function is denied from then on |

## database-recovery

${table('database-recovery')}

${jobs('database-recovery').join(' and ')} are jobs in CodeBuild, which is not simulated: test/end-to-end has them.

## cluster-recovery

Of a cluster whose nodes nobody hears from, in a Region that has no others: it ends in the question about a rebuild.

${table('cluster-recovery')}

${jobs('cluster-recovery').join(', ')} are jobs in CodeBuild: what they answer is modelled, and test/end-to-end runs them.

## configuration-recovery

A record and a deployment are gone: it asks, puts the record back from the recording, and the modelled build applies the rest. A drill's
cluster has no pods here, so that a drill which meets no fault ends with \`ApplicationNotReady\`; test/end-to-end runs one to its end.

${table('configuration-recovery')}

${jobs('configuration-recovery').join(', ')} are jobs in CodeBuild: what they answer is modelled, and test/end-to-end runs them.

## region-failover

Of a switchover, and of a drill or an ungraceful failover for what only they do: the latter also from replicated backups and with strict
fencing, the Regions cut off from each other.

${table('region-failover')}

${jobs('region-failover').join(', ')} is a job in CodeBuild, whose answer is modelled.

## region-failback

Of production that a switchover had moved.

${table('region-failback')}

## backup

A run with a part that failed ends with \`BackupIncomplete\`: every other part was made, and people were told which one was not. Where
\`AcceptBackup\` or \`ReportBackup\` fails, the watch over backups says so.

${table('backup')}

## readiness

A look that fails leaves its checks unknown: the run succeeds, and does not say that all is ready. Where \`AcceptReadiness\` or
\`ReportReadiness\` fails, the alarm of a silent readiness says so.

${table('readiness')}
`;
}

/** From the first time on that the Task is entered, until the execution fails: then people mend it, and finish what it had begun. */
async function injectAt({ machine, task, kind }: Cell, { site }: Stage, onStrike: () => void): Promise<void> {
  const { cloud, world } = site;
  const region = regionOf(machine, site);
  const functionName = await functionOf(machine, task, site, region);
  let entered = false;
  let mend = () => {};
  (cloud.service('sfn', region) as SfnService).onHistory((arn, event) => {
    if (entered && isOf(machine, arn) && event.type === 'ExecutionFailed') mend();
    if (entered || !isOf(machine, arn) || event.stateEnteredEventDetails?.name !== task) return;
    entered = true;
    const rule = ruleOf(kind, functionName, world.clock.sleep);
    mend = cloud.faults.inject({
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

const changes = /^(Put|Update|Delete|Create|Copy|Restore|Modify|Publish|Send|Start|Stop)/;
const hours = 3_600_000;

/** Of a name or an ARN. */
const nameIn = (functionName: string) => functionName.split(':function:').at(-1);

function ruleOf(kind: Kind, functionName: string, sleep: (ms: number) => Promise<void>): Rule {
  const invoked = {
    service: 'lambda',
    operation: 'Invoke',
    where: (input: Readonly<Record<string, unknown>>) => nameIn(String(input.FunctionName)) === functionName,
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

/** The name of the function that a Task calls, by the definition that is deployed: two areas may name theirs alike. */
async function functionOf(machine: Machine, task: string, { cloud, names }: Stage['site'], region: string) {
  const stateMachineArn = names.stateMachineArn(region, machine);
  const deployed = await cloud.call('sfn', 'DescribeStateMachine', { stateMachineArn }, region);
  const place = tasksIn(JSON.parse(String(deployed.definition))).find(({ name }) => name === task);
  const { FunctionName = '' } = (place?.state.Arguments ?? {}) as { FunctionName?: string };
  const name = FunctionName.includes(':function:') ? nameIn(FunctionName) : undefined;
  if (name === undefined) throw new Error(`${task} of ${machine} calls no function`);
  return name;
}
