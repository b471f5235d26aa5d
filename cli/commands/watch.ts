/** `dr watch`: the timeline of an incident, live, until it ends. */
import type { IncidentRecord } from '../../core/incident/contracts.ts';
import { type ExitCode, exitCodes, UsageError } from '../exit-codes.ts';
import { follow } from '../follow.ts';
import { type Operator, operatorAt, requireIncident } from '../operator.ts';
import type { WatchOptions } from '../operator-options.ts';
import { listIncidents } from '../records.ts';
import { Screen } from '../screen.ts';

/** Exit 0: the incident ended closed. 1: it failed. */
export async function watch(options: WatchOptions): Promise<ExitCode> {
  const operator = await operatorAt(options);
  const { incident, objectives } =
    options.incident === undefined ? await openIncident(operator) : await requireIncident(operator, options.incident);
  const screen = new Screen();
  screen.heading(`${incident.id}: ${incident.reason}`);
  const ended = await follow(
    {
      executionArn: incident.executionArn,
      incidentId: incident.id,
      table: operator.names.incidentTable,
      rtoSeconds: objectives.rtoSeconds,
    },
    operator.here,
    screen,
  );
  const { status, outcome } = await requireIncident(operator, incident.id);
  const passed = ended.status === 'SUCCEEDED';
  screen.heading(passed ? screen.good(outcome ?? status) : screen.bad(outcome ?? `${status}: ${ended.error ?? ''}`));
  return passed ? exitCodes.passed : exitCodes.failed;
}

async function openIncident({ here, names, region }: Operator): Promise<IncidentRecord> {
  const recent = await listIncidents(here.dynamodb, names.incidentTable, 10);
  const open = recent.find(({ status }) => status === 'open');
  if (open) return open;
  const last = recent[0]?.incident.id;
  throw new UsageError(
    `No incident is open in ${region}. ${last === undefined ? 'There was none yet.' : `Give one by its id; the last is ${last}.`}`,
  );
}
