/** Two Regions with strict fencing around a real database: the guard of the primary one, and who fails over from the other. */
import type { RestorePlan } from '../../../core/database/contracts.ts';
import { databaseUndos, restoreTenure } from '../../../core/database/undo.ts';
import type { GuardRecord, Tenure, TenureMemory } from '../../../core/region/contracts.ts';
import { endTenure } from '../../../core/region/end-tenure.ts';
import { guardDatabase } from '../../../core/region/guard-database.ts';
import type { Tenures } from '../../../core/region/ports.ts';
import type { Settings } from '../../../core/settings.ts';
import { settings as common, secrets, type TestDatabase } from '../../support/postgres.ts';
import { FakeDatabases, FakeMetrics } from '../database/fakes.ts';
import {
  activeDatabase,
  FakeAnnouncer,
  FakeClock,
  FakeCompensations,
  FakeControl,
  makeIncident,
  makeInstance,
} from '../fakes.ts';
import { failover } from './fakes.ts';

export const tenureSeconds = 120;
export const fenceSeconds = 120;
const settings: Settings = {
  ...common,
  region: { ...common.region, fencing: { mode: 'strict', tenureSeconds, fenceSeconds } },
};

/** As the adapter keeps it. */
class FakeTenures implements Tenures {
  record: Tenure | undefined;
  async read() {
    return this.record;
  }
  async renew(tenure: Tenure) {
    const { record } = this;
    if (record && !(record.epoch < tenure.epoch || (record.epoch === tenure.epoch && !record.endedBy))) return false;
    this.record = tenure;
    return true;
  }
  async end({ region, epoch, endedBy }: { region: string; epoch: number; endedBy: string }) {
    if (this.record && this.record.epoch > epoch) return undefined;
    this.record = { version: 1, region, ...this.record, epoch, endedBy };
    return this.record;
  }
}

/** Two Regions with one clock; the way between them can be cut. */
export function strictSite(database: TestDatabase) {
  const { address, port } = database.candidate;
  const active = { ...activeDatabase, address, port };
  // The database's own clock judges the date of a role.
  const clock = new FakeClock(new Date().toISOString());
  const control = Object.assign(new FakeControl(), { active });
  const tenures = new FakeTenures();
  const announcer = new FakeAnnouncer();
  const compensations = new FakeCompensations();
  const recorded: GuardRecord[] = [];
  const site = {
    isCut: false,
    memory: undefined as TenureMemory | undefined,
    listed: true,
    losesNotes: Number.NaN,
    losesAnswers: false,
    diesBehindNotes: false,
  };
  const reach = <T>(answer: () => Promise<T>) => {
    if (site.isCut) throw new Error('no route to the DR Region');
    return answer();
  };
  const guard = (as: Settings = settings) =>
    guardDatabase({
      ...{ settings: as, here: settings.primary, clock, secrets, announcer, sessions: database.sessions },
      control: {
        readActiveDatabase: async () => reach(() => control.readActiveDatabase()),
        readLease: async () => reach(() => control.readLease()),
        confirmActiveDatabase: async (record) => reach(() => control.confirmActiveDatabase(record)),
      },
      databases: {
        list: async () => {
          if (!site.listed) throw new Error('RDS is down, too');
          return [makeInstance({ address, port })];
        },
      },
      store: { recordGuard: async (record) => void recorded.push(record) },
      evidence: { location: (key) => key, put: async () => undefined },
      metrics: new FakeMetrics(),
      tenures: {
        renew: async (tenure) => {
          const renewed = await reach(() => tenures.renew(tenure));
          if (site.losesAnswers) throw new Error('no answer');
          return renewed;
        },
      },
      memories: {
        read: async () => site.memory,
        write: async (memory) => {
          if (site.losesNotes-- === 0) throw new Error('not noted');
          site.memory = memory;
          if (site.diesBehindNotes) throw new Error('died');
        },
      },
    });
  const plan = {
    source: { ...active },
    candidate: 'stocker-pro-staging-replica',
    epoch: active.epoch,
    failover: failover({ tenure: { refusesFrom: clock.now().toISOString() } }),
  } as unknown as RestorePlan;
  const incident = makeIncident({ scenario: 'region', mode: 'recovery', style: 'ungraceful' });
  const end = (change: Partial<RestorePlan> = {}, status: 'RUNNING' | 'ABORTED' = 'RUNNING') =>
    endTenure(
      { incident, plan: { ...plan, ...change } },
      { settings, clock, control, tenures, compensations, executions: { status: async () => status } },
    );
  const undo = (facts: Readonly<Record<string, unknown>>) =>
    databaseUndos({
      ...{ settings, clock, control, secrets, sessions: database.sessions, databases: new FakeDatabases() },
    } as never)
      [restoreTenure]?.(facts)
      .then(({ outcome }) => outcome);
  return { site, clock, control, tenures, announcer, compensations, recorded, guard, end, undo, incident, plan };
}

export const canLogIn = async (database: TestDatabase) =>
  (await database.query("select rolcanlogin from pg_roles where rolname = 'stocker_app'"))[0]?.rolcanlogin === 't';
