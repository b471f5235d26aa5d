/** EndDrill: what a drill of the Region shifted and scaled is as it was before. The copy itself is torn down by TearDown. */
import type { Metrics } from '../database/ports.ts';
import { type Incident, recordVersion } from '../incident/contracts.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { setLatch } from './latch.ts';
import type { Records, RegionStore, Standby } from './ports.ts';

export interface EndDrillContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readLease'>;
  readonly store: Pick<RegionStore, 'writeLatch'>;
  readonly metrics: Metrics;
  readonly records: () => Promise<Records>;
  readonly standby: Pick<Standby, 'scale'>;
}

/** Repeats itself harmlessly; where the next incident holds the lease already, the canary and the record are its own. */
export async function endDrill(
  { incident }: { readonly incident: Incident },
  context: EndDrillContext,
): Promise<StepResult<Record<string, never>>> {
  const { settings, clock, control, standby } = context;
  const lease = await control.readLease();
  if (lease !== undefined && lease.incidentId !== incident.id)
    return { output: {}, summary: `${lease.incidentId} is at work: record and canary are left to it` };
  const since = clock.now().toISOString();
  await setLatch({ version: recordVersion, name: 'drill-traffic', on: false, since, incidentId: incident.id }, context);
  const { strategy, hostedZoneName, primaryRecordName, drillRecordName } = settings.traffic;
  if (strategy === 'change-record-sets')
    await (await context.records()).copy(hostedZoneName, primaryRecordName, drillRecordName);
  const { deployment } = settings.canary;
  await standby.scale(deployment, 0);
  return {
    output: {},
    summary: `${drillRecordName} leads to ${primaryRecordName} again, and ${deployment.name} has no pods`,
  };
}
