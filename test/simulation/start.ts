/** How people start machines. */
import type { Site } from './site.ts';
import type { Seen } from './witness.ts';

export async function start(site: Site, input: object, machine = 'database-recovery'): Promise<void> {
  const region = regionOf(machine, site);
  const stateMachineArn = site.names.stateMachineArn(region, machine);
  await site.call('sfn', 'StartExecution', { stateMachineArn, input: JSON.stringify(input) }, region);
}

/** Where a machine does its work while production is in the primary Region, and a failback where it comes home to. */
export const regionOf = (machine: string, { configuration: { primary, dr } }: Site): string =>
  ['readiness', 'region-failover'].includes(machine) ? dr.region : primary.region;

/** The machine of an execution: `arn:aws:states:<region>:<account>:execution:<prefix><machine>:<name>`. */
export const machineOf = (arn: string, { names }: Site): string =>
  arn.split(':').at(-2)?.replace(`${names.prefix}-`, '') ?? '';

/** The id that AcceptRequest answered. */
export function incidentOf({ states }: Seen): string | undefined {
  const accepted = states.find(({ name }) => name === 'OpenIncident')?.name;
  if (accepted === undefined) return undefined;
  for (const { output = '' } of states) {
    const id = /"id":"((?:drill|recovery)-\d{8}T\d{6}Z-[0-9a-f]{8})"/.exec(output)?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}
