/** In-memory ports of the database area. */
import type { Baseline, RestorePlan } from '../../../core/database/contracts.ts';
import type {
  Baselines,
  DatabaseInstance,
  Databases,
  Metrics,
  Parameters as ParametersPort,
  RestoreSpecification,
} from '../../../core/database/ports.ts';
import { makeInstance } from '../fakes.ts';

export const candidateName = 'dr-drill-stocker-pro-staging-1a2b3c4d';

export const makePlan = (change: Partial<RestorePlan> = {}): RestorePlan => ({
  source: { identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION' },
  candidate: candidateName,
  restore: { kind: 'time', at: 'latest' },
  restorePoint: '2026-11-22T20:10:00.000Z',
  estimatedLossSeconds: 300,
  epoch: 1,
  ...change,
});

export class FakeBaselines implements Baselines {
  readonly all: Baseline[] = [];
  async latest() {
    return this.all.at(-1);
  }
  async atOrBefore(moment: string) {
    return this.all.findLast((each) => each.at <= moment);
  }
  async record(baseline: Baseline) {
    this.all.push(baseline);
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
  async list(prefix: string) {
    return [...this.instances.values()].filter(({ identifier }) => identifier.startsWith(prefix));
  }
  async restoreWindow() {
    return this.window;
  }
  async findSnapshot() {
    return undefined;
  }
  async restore(specification: RestoreSpecification) {
    const { targetIdentifier: identifier, tags } = specification;
    if (this.instances.has(identifier)) return 'exists' as const;
    this.restored.push(specification);
    this.instances.set(identifier, makeInstance({ identifier, tags, resourceId: 'db-COPY', status: 'creating' }));
    return 'started' as const;
  }
  async configure() {}
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
