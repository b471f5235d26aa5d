/** AcceptReadiness: whether this Region looks, and at what. */
import type { Metrics } from '../database/ports.ts';
import type { Execution } from '../incident/contracts.ts';
import { ActiveDatabaseUnknown } from '../incident/errors.ts';
import type { ControlStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { AcceptedReadiness, ReadinessRequest } from './contracts.ts';

export interface AcceptReadinessContext {
  readonly settings: Settings;
  /** The Region that this function runs in. */
  readonly region: string;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly metrics: Metrics;
}

/**
 * The machine is in both Regions. The one that production would be recovered to looks: what cannot be seen from there does
 * not help when the other is gone. The other one only says that it rests, so that its alarm rests.
 */
export async function acceptReadiness(
  { request, execution }: { request: ReadinessRequest; execution: Execution },
  { settings, region, control, metrics }: AcceptReadinessContext,
): Promise<AcceptedReadiness> {
  const active = await control.readActiveDatabase();
  if (active === undefined) throw ActiveDatabaseUnknown('There is no record of which database is production.');
  const { identifier, resourceId } = active;
  if (active.region === region) {
    const other = region === settings.dr.region ? settings.primary.region : settings.dr.region;
    await metrics.put([{ name: 'ReadinessLooked', value: 1, unit: 'Count' }]);
    return { skipped: `${identifier} is in ${region}: the machine in ${other}, where it would be recovered to, looks` };
  }
  return {
    run: {
      id: `readiness-${execution.startedAt.slice(0, 19).replace(/[-:]/g, '')}Z`,
      executionArn: execution.arn,
      startedAt: execution.startedAt,
      region,
      activeRegion: active.region,
      database: { identifier, resourceId },
      permissions: request.permissions,
    },
  };
}
