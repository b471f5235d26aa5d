/** Every hour: whether the day has its backup. What the alarms read, for a run that never began reports nothing. */
import type { Metrics } from '../database/ports.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import { type DayVerdict, judgeDay } from './days.ts';
import type { Backups } from './ports.ts';

export interface WatchContext {
  readonly settings: Settings;
  readonly region: string;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly backups: Pick<Backups, 'list'>;
  readonly metrics: Metrics;
}

/** Two days with a few runs by hand each. */
const runsRead = 30;

/** Where the active database is elsewhere, this Region's alarms rest: nothing is due here. */
export async function watchBackups(context: WatchContext): Promise<DayVerdict | { readonly verdict: 'elsewhere' }> {
  const { settings, region, clock, control, backups, metrics } = context;
  const active = await control.readActiveDatabase();
  const isHere = active?.region === region;
  const day = isHere
    ? judgeDay(await backups.list(runsRead), {
        now: clock.now().toISOString(),
        since: active.since,
        backup: settings.backup,
      })
    : ({ verdict: 'elsewhere' } as const);
  const is = (verdict: DayVerdict['verdict']) => (day.verdict === verdict ? 1 : 0);
  await metrics.put([
    { name: 'BackupLate', value: is('late'), unit: 'Count' },
    { name: 'BackupMissed', value: is('missed'), unit: 'Count' },
    { name: 'BackupFailed', value: is('failed'), unit: 'Count' },
  ]);
  return day;
}
