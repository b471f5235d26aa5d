/** Facts of an installation in which all is well, and settings that they fit; tests spoil them one by one. */
import { configurationOf } from '../../../config/index.ts';
import { settingsOf } from '../../../config/names.ts';
import type { CheckContext } from '../../../core/readiness/check.ts';
import type { Facts, FactsOf, Source } from '../../../core/readiness/facts.ts';

/** `strict` is production with strict fencing. */
export type Environment = 'production' | 'staging' | 'strict';
const installed = (environment: Environment) => (environment === 'strict' ? 'production' : environment);

export const now = '2026-11-28T12:00:00.000Z';
const ago = (seconds: number) => new Date(Date.parse(now) - seconds * 1000).toISOString();

export const contextOf = (environment: Environment): CheckContext => {
  const configured = settingsOf(configurationOf(installed(environment)));
  const fencing = { mode: 'strict', tenureSeconds: 300, fenceSeconds: 120 } as const;
  const settings = environment === 'strict' ? { ...configured, region: { ...configured.region, fencing } } : configured;
  return {
    settings,
    now,
    run: {
      id: 'readiness-20261128T120000Z',
      executionArn: 'arn:readiness',
      startedAt: now,
      region: settings.dr.region,
      activeRegion: settings.primary.region,
      database: { identifier: settings.database.identifier, resourceId: 'db-1' },
      permissions: 'when-due',
    },
  };
};

const snapshotOf = (environment: string, region: string) => ({
  identifier: `dr-backup-stocker-pro-${environment}-20261128-020000`,
  arn: `arn:aws:rds:${region}:1:snapshot:x`,
  resourceId: 'db-1',
  status: 'available',
  encrypted: true,
  keyArn: `arn:aws:kms:${region}:1:key/1`,
  tags: {
    'stocker-dr:environment': environment,
    'stocker-dr:backup': 'backup-20261128T020000Z',
    'stocker-dr:resource': 'db-1',
  },
});

/** Mutable on purpose: a fault is one assignment. */
export type Loose<T> = T extends string | number | boolean | null | undefined
  ? T
  : { -readonly [K in keyof T]: Loose<T[K]> };

/** By the strategy of the environment: pairs that follow the latches, or simple records. */
function zoneOf(environment: Environment): Extract<FactsOf<'dns'>, { found: unknown }>['found'] {
  const { traffic } = contextOf(environment).settings;
  const { recordName, drillRecordName, primaryRecordName, drRecordName, ttlSeconds } = traffic;
  const simple = { type: 'A', routing: 'simple', ttlSeconds, evaluatesTarget: false, healthCheck: null } as const;
  const alias = (name: string, target: string, more: object) => ({
    ...{ ...simple, name, leadsTo: [target], ttlSeconds: null },
    ...more,
  });
  const shifted = (name: string, check: string) =>
    traffic.strategy === 'health-check'
      ? [
          alias(name, primaryRecordName, { routing: 'PRIMARY', healthCheck: check }),
          alias(name, drRecordName, { routing: 'SECONDARY' }),
        ]
      : [{ ...simple, name, leadsTo: ['192.0.2.1'] }];
  const healthCheck = (latch: string) => ({
    type: 'CLOUDWATCH_METRIC',
    alarm: { name: `stocker-dr-${installed(environment)}-${latch}-latched`, region: 'us-west-2' },
    ...{ insufficientData: 'LastKnownStatus', inverted: false, disabled: false },
  });
  return {
    records: [
      ...shifted(recordName, 'check-1'),
      ...shifted(drillRecordName, 'check-2'),
      { ...simple, name: primaryRecordName, leadsTo: ['192.0.2.1'] },
      { ...simple, name: drRecordName, leadsTo: ['192.0.2.2'] },
    ],
    healthChecks:
      traffic.strategy === 'health-check'
        ? { 'check-1': healthCheck('traffic'), 'check-2': healthCheck('drill-traffic') }
        : {},
  };
}

/** Every source's facts, without the answer around them. */
export type Found = { [S in Source]: Loose<FactsOf<S>> };

export function healthy(environment: Environment): Found {
  const window = { earliest: ago(7 * 86_400), latest: ago(200) };
  const isReplica = environment !== 'staging';
  const snapshots = (region: string) => [snapshotOf(installed(environment), region)];
  const versions = { 'a/master': 'v1', 'a/application': 'v7' };
  const keys = [{ use: 'backups', key: 'alias/aws/rds', state: 'Enabled' }];
  const quotas = [{ quota: 'DB instances', limit: 40, used: 3, needed: 2 }];
  const topics = [{ topic: 'internal', confirmed: 1, pending: 0 }];
  // By way of JSON: nothing is shared, so that a fault is of one place.
  const found = {
    databases: {
      active: { found: { status: 'available', window, snapshots: snapshots('us-east-1') } },
      standby: {
        found: {
          snapshots: snapshots('us-west-2'),
          replicated: isReplica ? null : { status: 'replicating', window },
          replica: isReplica
            ? {
                identifier: 'replica',
                status: 'available',
                replication: 'replicating',
                certificateUntil: ago(-365 * 86_400),
              }
            : null,
        },
      },
    },
    heartbeat: { found: { newest: ago(60), failed: false, written: ago(60) } },
    replica: { found: isReplica ? { heartbeat: ago(70) } : null },
    records: {
      active: {
        found: {
          proofs: [],
          drills: [
            { version: 1, scenario: 'database', incidentId: 'drill-1', closedAt: ago(86_400), release: 'release-1' },
            { version: 1, scenario: 'region', incidentId: 'drill-2', closedAt: ago(86_400), release: 'release-1' },
          ],
          release: 'release-1',
        },
      },
      standby: { found: { profileAt: ago(1800), look: { region: 'us-east-1', reachedAt: ago(60) } } },
      tenure:
        environment === 'strict'
          ? {
              found: {
                remembered: { found: { renewedAt: ago(50), fenced: [] } },
                held: { found: { renewedAt: ago(50), epoch: 1, endedBy: null } },
              },
            }
          : { silent: 'fencing is not strict' },
    },
    keys: { active: { found: keys }, standby: { found: keys } },
    secrets: { active: { found: versions }, standby: { found: versions } },
    images: { found: { export: { run: 'backup-1', at: ago(36_000) }, checked: 1, missing: [] } },
    terraform: { found: [{ state: 's3://state/terraform.tfstate', found: 'versioned' }] },
    quotas: { active: { found: quotas }, standby: { found: quotas } },
    permissions: { found: { at: ago(3600), release: 'release-1', simulated: 300, denied: [] } },
    cluster: { found: { status: 'ACTIVE', answer: 200 } },
    subscriptions: { active: { found: topics }, standby: { found: topics } },
    dns: { found: zoneOf(environment) },
    endpoint: { found: { url: 'https://dr.example.com', certificate: { until: ago(-60 * 86_400), refused: null } } },
  } satisfies { [S in Source]: FactsOf<S> };
  return JSON.parse(JSON.stringify(found)) as Found;
}

export const factsOf = (found: Found): Facts =>
  Object.fromEntries(Object.entries(found).map(([source, facts]) => [source, { found: facts }])) as unknown as Facts;

export const long = ago(40 * 86_400);
export { ago };
