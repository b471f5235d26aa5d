/** History as GetExecutionHistory answers it, with or without the data of the execution. */
import type { HistoryEvent } from '@aws-sdk/client-sfn';

const data = new Set(['input', 'output', 'parameters', 'assignedVariables']);

/** Without execution data, inputs, outputs, parameters and variables are left out; errors and causes stay. */
export function historyPage(events: readonly HistoryEvent[], includeExecutionData: boolean): HistoryEvent[] {
  return includeExecutionData ? [...events] : events.map(withoutData);
}

function withoutData(event: HistoryEvent): HistoryEvent {
  const members = Object.entries(event).map(([name, value]) => [
    name,
    name.endsWith('EventDetails') ? strip(value) : value,
  ]);
  return Object.fromEntries(members) as HistoryEvent;
}

function strip(details: object): object {
  return Object.fromEntries(Object.entries(details).filter(([name]) => !data.has(name)));
}
