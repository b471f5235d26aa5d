/** Moves of production that fail behind their cut-over: the record has moved, and traffic has not. And the people who finish them. */
import type { Call } from '../../local/kernel.ts';
import type { RegionTrouble } from './region-plan.ts';
import type { Stage } from './stage.ts';
import { incidentOf, machineOf, regionOf, start } from './start.ts';
import type { Seen } from './witness.ts';

const second = 1000;
/** Later than most who take up whatever failed: then there is nothing left to do here. */
export const finishAfterMs = 7 * 60 * second;
/** One may be stopped or fail again on its way; faults are few. */
const mostTries = 5;

export async function failBehind(
  { what, machine, state, afterMs }: Extract<RegionTrouble, { kind: 'behind' }>,
  { site, story, witness }: Stage,
): Promise<void> {
  const region = regionOf(machine, site);
  if (what === 'denied') {
    const { databaseEndpointParameter } = site.configuration.application;
    const where = ({ Name }: { Name: string }, call: Call) =>
      Name === databaseEndpointParameter && call.region === region && call.principal.kind === 'role';
    site.cloud.faults.inject({ service: 'ssm', operation: 'PutParameter', times: 1, where, effect: { kind: 'deny' } });
    return;
  }
  const found = () =>
    [...witness.executions.values()].find(
      ({ arn, input, states }) =>
        machineOf(arn, site) === machine && input.mode === 'recovery' && states.some(({ name }) => name === state),
    );
  while (found() === undefined) await witness.changed();
  await site.sleep(afterMs);
  const { arn: executionArn = '', status } = found() ?? {};
  if (status !== 'RUNNING') return;
  story.tell(`a person stops the ${machine} in ${state}`);
  await site.call('sfn', 'StopExecution', { executionArn, cause: 'simulated' }, region);
}

/** The newest execution of the incident that raised the epoch, where none of its executions has succeeded or is at work. */
export function unfinishedMove({ site, witness, regions }: Stage): Seen | undefined {
  const active = regions?.records.at(-1);
  const raised = regions?.records.find(({ resourceId }) => resourceId === active?.resourceId);
  if (raised === undefined) return undefined;
  const executions = [...witness.executions.values()];
  const mover = executions.findLast(
    ({ arn, states }) =>
      /^region-fail(over|back)$/.test(machineOf(arn, site)) &&
      regionOf(machineOf(arn, site), site) === raised.region &&
      states.some(({ name, at }) => name === 'CutOver' && at <= raised.at),
  );
  const incident = mover && incidentOf(mover);
  if (incident === undefined) return undefined;
  const own = executions.filter((each) => incidentOf(each) === incident);
  return own.some(({ status }) => status === 'Succeeded' || status === 'RUNNING') ? undefined : own.at(-1);
}

/** People who are told that it failed take it up again until traffic has followed. */
export async function finishMoves(stage: Stage): Promise<void> {
  const { site, story } = stage;
  for (let time = 0; time < mostTries; ) {
    await site.sleep(30 * second);
    if (unfinishedMove(stage) === undefined) continue;
    await site.sleep(finishAfterMs);
    const failed = unfinishedMove(stage);
    if (failed === undefined) continue;
    const incident = incidentOf(failed);
    story.tell(`a person finishes ${incident}, whose cut-over was made`);
    const confirm = { mode: 'recovery', confirm: site.configuration.environment };
    await start(site, { ...confirm, reason: 'simulated finish', incident }, machineOf(failed.arn, site)).catch(
      () => {},
    );
    time++;
  }
}
