/** In-memory ports of the database area. */
import type { Baseline, DatabaseProfile, LookRecord, RestorePlan } from '../../../core/database/contracts.ts';
import type {
  Baselines,
  DatabaseInstance,
  DatabaseSnapshot,
  Databases,
  Like,
  Looks,
  Metrics,
  Parameters as ParametersPort,
  Profiles,
  RestoreSpecification,
} from '../../../core/database/ports.ts';
import type { ExecutionStatus } from '../../../core/incident/ports.ts';
import { FakeCompensations, makeInstance, makeSnapshot } from '../fakes.ts';

export { FakeCompensations };

export const candidateName = 'dr-drill-stocker-pro-staging-1a2b3c4d';

export const makePlan = (change: Partial<RestorePlan> = {}): RestorePlan => ({
  source: { identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION' },
  candidate: candidateName,
  restore: { kind: 'time', at: 'latest' },
  restorePoint: '2026-11-22T20:10:00.000Z',
  estimatedLossSeconds: 300,
  epoch: 1,
  approval: 'none',
  ...change,
});

/** Production as RDS showed it, and the plan of its recovery. */
export const seenProduction = {
  engine: 'postgres',
  engineVersion: '17.4',
  settings: { multiAz: true, deletionProtection: true, securityGroupIds: ['sg-production'], backupRetentionDays: 30 },
  tags: { application: 'stocker-pro', 'aws:reserved': 'x' },
};
export const recoveryPlan = makePlan({
  source: { identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION', address: 'old', port: 5432 },
  candidate: 'stocker-pro-staging-0a1b2c3d',
  seen: seenProduction,
});

export class FakeBaselines implements Baselines {
  readonly all: Baseline[] = [];
  async latest(resourceId?: string) {
    return this.atOrBefore('9', resourceId);
  }
  async atOrBefore(moment: string, resourceId?: string) {
    return this.all
      .filter(
        (each) => each.at <= moment && (resourceId === undefined || (each.resourceId ?? resourceId) === resourceId),
      )
      .toSorted((a, b) => a.at.localeCompare(b.at))
      .at(-1);
  }
  async record(baseline: Baseline) {
    this.all.push(baseline);
  }
}

export class FakeLooks implements Looks {
  readonly all: LookRecord[] = [];
  async latest() {
    return this.all.at(-1);
  }
  async record(look: LookRecord) {
    this.all.push(look);
  }
}

export class FakeProfiles implements Profiles {
  readonly all = new Map<string, DatabaseProfile>();
  async read(resourceId: string) {
    return this.all.get(resourceId);
  }
  async record(profile: DatabaseProfile) {
    this.all.set(profile.resourceId, profile);
  }
}

export class FakeMetrics implements Metrics {
  readonly values: Record<string, number> = {};
  async put(metrics: Parameters<Metrics['put']>[0]) {
    for (const { name, value } of metrics) this.values[name] = value;
  }
}

export class FakeParameters implements ParametersPort {
  readonly values = new Map<string, string>();
  async read(name: string) {
    return this.values.get(name);
  }
  async write(name: string, value: string) {
    this.values.set(name, value);
  }
}

/** What RestoreDatabase asks beside RDS: an execution that has these statuses one after the other, and then runs. */
export const restoring = (...statuses: ExecutionStatus[]) => ({
  compensations: new FakeCompensations(),
  executions: { status: async () => statuses.shift() ?? ('RUNNING' as const) },
});

/** RDS with the instances that a test puts into it. */
export class FakeDatabases implements Databases {
  readonly instances = new Map<string, DatabaseInstance>();
  readonly restored: RestoreSpecification[] = [];
  readonly deleted: string[] = [];
  readonly backups = new Set<string>();
  window: { earliest: string; latest: string } | undefined = {
    earliest: '2026-11-01T00:00:00.000Z',
    latest: '2026-11-22T20:10:00.000Z',
  };
  constructor(...instances: DatabaseInstance[]) {
    for (const instance of [makeInstance(), ...instances]) this.instances.set(instance.identifier, instance);
  }
  async find(identifier: string) {
    return this.instances.get(identifier);
  }
  async failures(): Promise<readonly string[]> {
    return [];
  }
  async list(prefix: string) {
    return [...this.instances.values()].filter(({ identifier }) => identifier.startsWith(prefix));
  }
  async restoreWindow() {
    return this.window;
  }
  async backupsOf() {
    return { arn: 'arn:aws:rds:us-west-2:111122223333:auto-backup:ab-1', window: this.window };
  }
  readonly snapshots = new Map<string, DatabaseSnapshot>();
  readonly protected = new Map<string, Like>();
  readonly configured: string[] = [];
  readonly admitted: { identifier: string; securityGroupIds: readonly string[] }[] = [];
  async findSnapshot(identifier: string) {
    return this.snapshots.get(identifier);
  }
  async snapshotsOf({ resourceId }: { resourceId: string }) {
    return [...this.snapshots.values()].filter(({ instanceResourceId }) => instanceResourceId === resourceId);
  }
  async createSnapshot({ identifier, instanceIdentifier, tags }: Parameters<Databases['createSnapshot']>[0]) {
    if (!this.instances.has(instanceIdentifier)) return 'no-instance' as const;
    if (this.snapshots.has(identifier)) return 'exists' as const;
    this.snapshots.set(identifier, makeSnapshot({ identifier, instanceIdentifier, tags, status: 'creating' }));
    return 'started' as const;
  }
  async protect(identifier: string, like: Like) {
    this.protected.set(identifier, like);
  }
  async restore(specification: RestoreSpecification) {
    const { targetIdentifier: identifier, tags } = specification;
    if (this.instances.has(identifier)) return 'exists' as const;
    this.restored.push(specification);
    this.instances.set(identifier, makeInstance({ identifier, tags, resourceId: 'db-COPY', status: 'creating' }));
    return 'started' as const;
  }
  async configure(identifier: string) {
    this.configured.push(identifier);
  }
  async admit(identifier: string, securityGroupIds: readonly string[]) {
    this.admitted.push({ identifier, securityGroupIds });
  }
  async delete(identifier: string) {
    this.deleted.push(identifier);
    return this.instances.delete(identifier) ? ('deleting' as const) : ('gone' as const);
  }
  async hasAutomatedBackup(identifier: string) {
    return this.backups.has(identifier);
  }
  async parameters() {
    return {};
  }
}
