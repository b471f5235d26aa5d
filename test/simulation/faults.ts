/** Puts the faults of a plan into a cloud. They strike the product's own calls, never the operator's or the harness's. */
import type { Cloud } from '../../local/cloud.ts';
import type { FaultEffect } from '../../local/faults.ts';
import { AwsError, type BusEvent, type Call, type ServiceName } from '../../local/kernel.ts';
import type { RdsService } from '../../local/services/rds/index.ts';
import type { VirtualClock } from '../../local/virtual/clock.ts';
import type { CallFault, Fault } from './plan.ts';

/** Called when a fault strikes, with what it struck. */
export type OnStrike = (what: string) => void;

export function inject(faults: readonly Fault[], cloud: Cloud, clock: VirtualClock, onStrike: OnStrike): void {
  for (const fault of faults) {
    if (fault.kind === 'call') void clock.sleep(fault.fromMs).then(() => injectCall(fault, cloud, clock, onStrike));
    if (fault.kind === 'restore') endNextRestore(fault.ends, cloud);
    if (fault.kind === 'no-capacity') leaveNoCapacity(fault, cloud, onStrike);
    if (fault.kind === 'event') injectEvent(fault, cloud, onStrike);
    if (fault.kind === 'stop-during') injectStop(fault, cloud, clock, onStrike);
  }
}

function injectCall(
  { fault, service, operation, times }: Extract<Fault, { kind: 'call' }>,
  cloud: Cloud,
  clock: VirtualClock,
  onStrike: OnStrike,
): void {
  const roles = rolesOf(cloud);
  cloud.faults.inject({
    service: service as ServiceName,
    operation,
    times,
    where: (input, call) => {
      const strikes = isRecoverys(call, roles) && !(service === 'lambda' && fault.startsWith('crash'));
      if (strikes) onStrike(`${fault} ${service}:${operation} ${subjectOf(input)} in ${call.region}`);
      return strikes;
    },
    effect: effectOf(fault, clock),
  });
}

/** Names of the roles that the stacks made for functions and state machines; those of schedules only deliver. */
function rolesOf(cloud: Cloud): ReadonlySet<string> {
  const made = cloud.stacks().flatMap(({ resources }) => Object.entries(resources));
  return new Set(made.flatMap(([logicalId, ref]) => (/Schedules?Role/.test(logicalId) ? [] : [ref])));
}

/** They call every few minutes, and would take every fault upon themselves. */
const regulars = [
  'database-write-heartbeat',
  'database-look-for-damage',
  'backup-watch-backups',
  'region-guard-database',
  'region-probe-primary',
  'region-publish-latch',
];

/** By a role of ours, for a recovery: not by the operator, not by services that deliver, not by what only watches. */
const isRecoverys = ({ principal }: Call, roles: ReadonlySet<string>): boolean =>
  principal.kind === 'role' &&
  roles.has(principal.roleArn.split('/').at(-1) ?? '') &&
  !regulars.some((name) => principal.sessionName.endsWith(name));

const subjectOf = (input: Readonly<Record<string, unknown>>): string => {
  const { pk } = (input.Item ?? {}) as { readonly pk?: { readonly S?: string } };
  const subject = String(input.DBInstanceIdentifier ?? input.FunctionName ?? input.Name ?? input.TableName ?? '');
  return pk?.S === undefined ? subject : `${subject} ${pk.S}`;
};

function effectOf(fault: CallFault, clock: VirtualClock): FaultEffect {
  switch (fault) {
    case 'throttle':
      return { kind: 'throw', error: new AwsError('ThrottlingException', 'Rate exceeded') };
    case 'unavailable':
      return { kind: 'throw', error: new AwsError('ServiceUnavailable', 'injected: the service is unavailable') };
    case 'hang':
      return { kind: 'hold', until: () => clock.sleep(20_000) };
    case 'lose-answer':
      return { kind: 'lose-answer' };
    case 'deny':
      return { kind: 'deny' };
    case 'crash-before':
      return { kind: 'crash', when: 'before' };
    case 'crash-after':
      return { kind: 'crash', when: 'after' };
  }
}

function leaveNoCapacity(
  { operation, times }: Extract<Fault, { kind: 'no-capacity' }>,
  cloud: Cloud,
  onStrike: OnStrike,
): void {
  const roles = rolesOf(cloud);
  cloud.faults.inject({
    service: 'rds',
    operation,
    times,
    where: (input, call) => {
      const strikes = isRecoverys(call, roles);
      if (strikes) onStrike(`no-capacity for ${subjectOf(input)} in ${call.region}`);
      return strikes;
    },
    effect: {
      kind: 'throw',
      error: new AwsError(
        'InsufficientDBInstanceCapacityFault',
        'The specified DB instance class isn’t available in the specified Availability Zone.',
      ),
    },
  });
}

function endNextRestore(ends: 'storage-full' | 'incompatible-restore', cloud: Cloud): void {
  for (const region of cloud.regions) {
    const rds = cloud.service('rds', region) as RdsService;
    if (ends === 'storage-full') rds.fillNextRestore();
    else rds.breakNextRestore();
  }
}

function injectStop(
  fault: Extract<Fault, { kind: 'stop-during' }>,
  cloud: Cloud,
  clock: VirtualClock,
  onStrike: OnStrike,
): void {
  const suffix = fault.function.replace('/', '-');
  cloud.faults.inject({
    service: fault.service as ServiceName,
    operation: fault.operation,
    times: 1,
    where: (input, { principal }) =>
      principal.kind === 'role' && principal.sessionName.endsWith(suffix) && subjectOf(input).includes(fault.about),
    effect: {
      kind: 'hold',
      async until() {
        onStrike(`${fault.function} is about to ${fault.service}:${fault.operation} when its execution is stopped`);
        for (const region of cloud.regions)
          for (const executionArn of await runningIn(cloud, region))
            await cloud.call('sfn', 'StopExecution', { executionArn, cause: 'simulated' }, region);
        await clock.sleep(fault.holdMs);
      },
    },
  });
}

async function runningIn(cloud: Cloud, region: string): Promise<string[]> {
  type Machines = { stateMachines: { stateMachineArn: string }[] };
  type Executions = { executions: { executionArn: string }[] };
  const { stateMachines } = await cloud.call<Machines>('sfn', 'ListStateMachines', {}, region);
  const found = await Promise.all(
    stateMachines.map(({ stateMachineArn }) =>
      cloud.call<Executions>('sfn', 'ListExecutions', { stateMachineArn, statusFilter: 'RUNNING' }, region),
    ),
  );
  return found.flatMap(({ executions }) => executions.map(({ executionArn }) => executionArn));
}

const sources: Readonly<Record<'alarm' | 'ended' | 'instance', (event: BusEvent) => boolean>> = {
  alarm: ({ source, detail }) =>
    source === 'aws.cloudwatch' && (detail.state as { value?: string } | undefined)?.value === 'ALARM',
  ended: ({ source, detail }) => source === 'aws.states' && detail.status !== 'RUNNING',
  instance: ({ source }) => source === 'aws.rds',
};

function injectEvent(
  { source, arrivalsMs }: Extract<Fault, { kind: 'event' }>,
  cloud: Cloud,
  onStrike: OnStrike,
): void {
  cloud.faults.injectEvents({
    // One disaster rings several alarms: they are all late, or one of them would do.
    times: source === 'alarm' ? 4 : 1,
    arrivals: arrivalsMs,
    where: (event, region) => {
      const strikes = sources[source](event);
      if (strikes)
        onStrike(`event of ${event.source} in ${region} arrives after ${arrivalsMs.join(', ') || 'never'} ms`);
      return strikes;
    },
  });
}
