/** Each check goes not-ready when its fact is bad, and only then; unknown when its source does not answer. */
import { describe, expect, it } from 'vitest';
import { checks } from '../../../core/readiness/checks/index.ts';
import type { ReadinessVerdict } from '../../../core/readiness/contracts.ts';
import type { Facts, Source } from '../../../core/readiness/facts.ts';
import { sources } from '../../../core/readiness/facts.ts';
import { judge } from '../../../core/readiness/judge.ts';
import { ago, contextOf, type Found, factsOf, healthy, long } from './facts.ts';

type Environment = 'production' | 'staging';
// biome-ignore lint/suspicious/noExplicitAny: a fault reaches into whatever was found
const found = (answer: unknown): any => (answer as { found: unknown }).found;

// biome-ignore lint/suspicious/noExplicitAny: a fault reaches into whatever was found
type Loose = any;

interface Fault {
  readonly check: string;
  readonly fault: string;
  readonly says: RegExp;
  /** A check that has nothing to look at then. */
  readonly void?: string;
  readonly in?: Environment;
  spoil(facts: Found): void;
}

/** The table: fault → check. */
const faults: readonly Fault[] = [
  {
    check: 'restore-window',
    fault: 'the window stands still beyond the RPO',
    says: /restored to 20 min 00 s ago; the RPO is 15 min/,
    spoil: ({ databases }) => {
      found(databases.active).window.latest = ago(1200);
    },
  },
  {
    check: 'restore-window',
    fault: 'there is no window',
    says: /no restore window/,
    spoil: ({ databases }) => {
      found(databases.active).window = null;
    },
  },
  {
    check: 'restore-window',
    fault: 'the instance is gone',
    says: /RDS knows no/,
    spoil: ({ databases }) => {
      found(databases.active).status = null;
    },
  },
  {
    check: 'restore-window-standby',
    fault: 'no backups are replicated',
    in: 'staging',
    says: /no automated backups are replicated to us-west-2/,
    spoil: ({ databases }) => {
      found(databases.standby).replicated = null;
    },
  },
  {
    check: 'restore-window-standby',
    fault: 'replication has stopped and left its backups',
    in: 'staging',
    says: /is retained/,
    spoil: ({ databases }) => {
      found(databases.standby).replicated.status = 'retained';
    },
  },
  {
    check: 'restore-window-standby',
    fault: 'the replicated window lags beyond the RPO',
    in: 'staging',
    says: /2 h 00 min ago; the RPO is 1 h/,
    spoil: ({ databases }) => {
      found(databases.standby).replicated.window.latest = ago(7200);
    },
  },
  {
    check: 'replication',
    fault: 'there is no replica',
    says: /no read replica in us-west-2/,
    void: 'certificate-standby',
    spoil: ({ databases }) => {
      found(databases.standby).replica = null;
    },
  },
  {
    check: 'replication',
    fault: 'replication has stopped',
    says: /in state error/,
    spoil: ({ databases }) => {
      found(databases.standby).replica.replication = 'error';
    },
  },
  {
    check: 'replication',
    fault: 'the replica is down',
    says: /is storage-full/,
    spoil: ({ databases }) => {
      found(databases.standby).replica.status = 'storage-full';
    },
  },
  {
    check: 'replica-lag',
    fault: 'production has beaten, and the replica has not seen it',
    says: /is 59 min 00 s behind; the RPO is 15 min/,
    spoil: ({ replica }) => {
      found(replica).heartbeat = ago(3600);
    },
  },
  {
    check: 'replica-lag',
    fault: 'the replica holds no heartbeat',
    says: /no heartbeat/,
    spoil: ({ replica }) => {
      found(replica).heartbeat = null;
    },
  },
  {
    check: 'certificate-standby',
    fault: 'it expires in three weeks',
    says: /is valid until 2026-12-19T12:00:00.000Z: clients refuse it then/,
    spoil: ({ databases }) => {
      found(databases.standby).replica.certificateUntil = ago(-21 * 86_400);
    },
  },
  {
    check: 'certificate-standby',
    fault: 'it has expired',
    says: /expired at/,
    spoil: ({ databases }) => {
      found(databases.standby).replica.certificateUntil = ago(60);
    },
  },
  {
    check: 'backup',
    fault: 'there is none',
    says: /us-east-1 holds no backup/,
    spoil: ({ databases }) => {
      found(databases.active).snapshots = [];
    },
  },
  {
    check: 'backup',
    fault: 'it is of the day before yesterday',
    says: /58 h 00 min old; one is due every day/,
    spoil: ({ databases }) => {
      const [newest] = found(databases.active).snapshots;
      newest.identifier = newest.identifier.replace('20261128', '20261126');
    },
  },
  {
    check: 'backup-standby',
    fault: 'the copy is not encrypted',
    says: /no backup in us-west-2 is good.*not encrypted/,
    spoil: ({ databases }) => {
      found(databases.standby).snapshots[0].encrypted = false;
    },
  },
  {
    check: 'backup-standby',
    fault: 'somebody made a snapshot of that name',
    says: /belongs to no environment/,
    spoil: ({ databases }) => {
      found(databases.standby).snapshots[0].tags = {};
    },
  },
  {
    check: 'heartbeat',
    fault: 'it has stopped',
    says: /is 10 min 00 s old/,
    spoil: ({ heartbeat }) => void Object.assign(found(heartbeat), { newest: ago(600), written: ago(600) }),
  },
  {
    check: 'heartbeat',
    fault: 'the newest one failed',
    says: /failed/,
    spoil: ({ heartbeat }) => {
      found(heartbeat).failed = true;
    },
  },
  {
    check: 'heartbeat',
    fault: 'there is none',
    says: /no heartbeat/,
    spoil: ({ heartbeat }) => void Object.assign(found(heartbeat), { newest: null, written: null }),
  },
  {
    check: 'profile',
    fault: 'the DR Region has none',
    says: /holds no profile/,
    spoil: ({ records }) => {
      found(records.standby).profileAt = null;
    },
  },
  {
    check: 'profile',
    fault: 'it is of days ago',
    says: /has not seen production sound since/,
    spoil: ({ records }) => {
      found(records.standby).profileAt = long;
    },
  },
  ...(['active', 'standby'] as const).flatMap((side): Fault[] => {
    const suffix = side === 'active' ? '' : '-standby';
    return [
      {
        check: `keys${suffix}`,
        fault: 'one is disabled',
        says: /the key of backups \(alias\/aws\/rds\) is Disabled/,
        spoil: ({ keys }) => {
          found(keys[side])[0].state = 'Disabled';
        },
      },
      {
        check: `keys${suffix}`,
        fault: 'one will be deleted',
        says: /PendingDeletion/,
        spoil: ({ keys }) => {
          found(keys[side])[0].state = 'PendingDeletion';
        },
      },
      {
        check: `quotas${suffix}`,
        fault: 'one is used up',
        says: /39 of 40 used, a recovery needs 2/,
        spoil: ({ quotas }) => {
          found(quotas[side])[0].used = 39;
        },
      },
      {
        check: `subscriptions${suffix}`,
        fault: 'nobody has confirmed',
        says: /nobody has confirmed.*1 subscriptions of internal wait/,
        spoil: ({ subscriptions }) => void Object.assign(found(subscriptions[side])[0], { confirmed: 0, pending: 1 }),
      },
      {
        check: `subscriptions${suffix}`,
        fault: 'one of two waits',
        says: /^1 subscriptions of internal wait to be confirmed$/,
        spoil: ({ subscriptions }) => {
          found(subscriptions[side])[0].pending = 1;
        },
      },
    ];
  }),
  {
    check: 'secrets',
    fault: 'the replica lags',
    says: /a\/master has another version/,
    spoil: ({ secrets }) => {
      found(secrets.standby)['a/master'] = 'v0';
    },
  },
  {
    check: 'secrets',
    fault: 'the original is gone',
    says: /a\/master is missing where production is/,
    spoil: ({ secrets }) => {
      found(secrets.active)['a/master'] = null;
    },
  },
  {
    check: 'secrets-standby',
    fault: 'the replica is gone',
    says: /us-west-2 has no a\/master/,
    spoil: ({ secrets }) => {
      found(secrets.standby)['a/master'] = null;
    },
  },
  {
    check: 'images',
    fault: 'one is missing',
    says: /us-west-2 has not got app@sha256:1/,
    spoil: ({ images }) => {
      found(images).missing = ['app@sha256:1'];
    },
  },
  {
    check: 'images',
    fault: 'no export has come',
    says: /nobody knows what runs/,
    spoil: ({ images }) => {
      found(images).export = null;
    },
  },
  {
    check: 'terraform-state',
    fault: 'it is gone',
    says: /is not there/,
    spoil: ({ terraform }) => {
      found(terraform)[0].found = 'absent';
    },
  },
  {
    check: 'terraform-state',
    fault: 'its bucket keeps no versions',
    says: /without versions/,
    spoil: ({ terraform }) => {
      found(terraform)[0].found = 'unversioned';
    },
  },
  {
    check: 'permissions',
    fault: 'a role lacks one',
    says: /1 calls are denied \(simulated 1 h 00 min ago\): restore: rds:Restore on db:x/,
    spoil: ({ permissions }) => {
      found(permissions).denied = [{ role: 'restore', action: 'rds:Restore', resource: 'db:x' }];
    },
  },
  {
    check: 'cluster-access',
    fault: 'the control plane is not active',
    says: /is UPDATING/,
    spoil: ({ cluster }) => {
      found(cluster).status = 'UPDATING';
    },
  },
  {
    check: 'cluster-access',
    fault: 'there is no cluster',
    says: /has no cluster/,
    spoil: ({ cluster }) => {
      found(cluster).status = null;
    },
  },
  ...[401, 403, 500].map(
    (status): Fault => ({
      check: 'cluster-access',
      fault: `Kubernetes answers ${status}`,
      says: new RegExp(`answers ${status}`),
      spoil: ({ cluster }) => {
        found(cluster).answer = status;
      },
    }),
  ),
  ...(
    [
      ['there is no zone', /no public zone/, (dns: Loose) => Object.assign(dns, { found: null })],
      [
        'a record is gone',
        /^api\.stocker-pro\.example\.com has no records$/,
        ({ found: zone }: Loose) => {
          zone.records = zone.records.slice(2);
        },
      ],
      [
        'a pair lost its secondary',
        /A is PRIMARY, no PRIMARY and SECONDARY/,
        ({ found: zone }: Loose) => {
          zone.records.splice(1, 1);
        },
      ],
      [
        'a record is weighted',
        /A is other and other, no PRIMARY/,
        ({ found: zone }: Loose) => {
          for (const each of zone.records.slice(0, 2)) each.routing = 'other';
        },
      ],
      [
        'the two lead the wrong way',
        /PRIMARY leads to dr\.api.*not to primary\.api.*SECONDARY leads to primary/,
        ({ found: zone }: Loose) => {
          const [primary, secondary] = zone.records;
          [primary.leadsTo, secondary.leadsTo] = [secondary.leadsTo, primary.leadsTo];
        },
      ],
      [
        'the primary has no health check',
        /A PRIMARY has no health check/,
        ({ found: zone }: Loose) => {
          zone.records[0].healthCheck = null;
        },
      ],
      [
        'the secondary has one',
        /A SECONDARY has a health check/,
        ({ found: zone }: Loose) => {
          zone.records[1].healthCheck = 'check-1';
        },
      ],
      [
        'the health of a target is evaluated',
        /evaluates the health of its target/,
        ({ found: zone }: Loose) => {
          zone.records[0].evaluatesTarget = true;
        },
      ],
      [
        'the health check is gone',
        /names the health check check-1, which is gone/,
        ({ found: zone }: Loose) => {
          zone.healthChecks['check-1'] = null;
        },
      ],
      [
        'the record follows the latch of drills',
        /follows stocker-dr-production-drill-traffic-latched.*not stocker-dr-production-traffic-latched/,
        ({ found: zone }: Loose) => {
          zone.healthChecks['check-1'].alarm = zone.healthChecks['check-2'].alarm;
        },
      ],
      [
        'the health check asks the endpoint',
        /is of type HTTPS, not/,
        ({ found: zone }: Loose) => {
          Object.assign(zone.healthChecks['check-1'], { type: 'HTTPS', alarm: null, insufficientData: null });
        },
      ],
      [
        'missing data is healthy',
        /is Healthy where data is missing/,
        ({ found: zone }: Loose) => {
          zone.healthChecks['check-1'].insufficientData = 'Healthy';
        },
      ],
      [
        'the health check is inverted',
        /is inverted/,
        ({ found: zone }: Loose) => {
          zone.healthChecks['check-2'].inverted = true;
        },
      ],
      [
        'the health check is disabled',
        /drill\.api.*is disabled/,
        ({ found: zone }: Loose) => {
          zone.healthChecks['check-2'].disabled = true;
        },
      ],
    ] as const
  ).map(([fault, says, spoil]): Fault => ({ check: 'dns', fault, says, spoil: ({ dns }) => void spoil(dns) })),
  ...(
    [
      ['a record fails over', /A PRIMARY is not one simple record/, 'routing', 'PRIMARY'],
      ['a record leads elsewhere', /leads to 192\.0\.2\.9, to neither Region/, 'leadsTo', ['192.0.2.9']],
      ['resolvers keep it for an hour', /is kept for 3600 s, not 60 s/, 'ttlSeconds', 3600],
      ['a Region has no record of its type', /has no AAAA to give/, 'type', 'AAAA'],
    ] as const
  ).map(
    ([fault, says, field, value]): Fault => ({
      ...{ check: 'dns', fault, says, in: 'staging' },
      spoil: ({ dns }) => {
        found(dns).records[0][field] = value;
      },
    }),
  ),
  ...(
    [
      ['it ends in three weeks', /valid for 21 days.*renewed 30 days before/, { until: ago(-21 * 86_400 - 60) }],
      ['it has ended', /ended at 2026-11-28T11:00/, { until: ago(3600), refused: 'CERT_HAS_EXPIRED' }],
      ['it is for another name', /clients of api\.stocker-pro.*refuse/, { refused: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
    ] as const
  ).map(
    ([fault, says, change]): Fault => ({
      ...{ check: 'certificate-endpoint', fault, says },
      spoil: ({ endpoint }) => void Object.assign(found(endpoint).certificate, change),
    }),
  ),
  {
    check: 'certificate-endpoint',
    fault: 'the application has no address there',
    says: /us-west-2 names no address/,
    spoil: ({ endpoint }) => void Object.assign(found(endpoint), { url: null, certificate: null }),
  },
  {
    check: 'drill-database',
    fault: 'the last good one is long ago',
    says: /40 days ago; one is due every month/,
    spoil: ({ records }) => {
      found(records.active).drills[0].closedAt = long;
    },
  },
  {
    check: 'release-database',
    fault: 'something was deployed since',
    says: /changed since drill-1/,
    spoil: ({ records }) => {
      found(records.active).drills[0].release = 'release-0';
    },
  },
  {
    check: 'release-region',
    fault: 'something was deployed since',
    says: /changed since drill-2/,
    spoil: ({ records }) => {
      found(records.active).drills[1].release = 'release-0';
    },
  },
  {
    check: 'drill-region',
    fault: 'the last good one is long ago',
    says: /200 days ago; one is due twice a year/,
    spoil: ({ records }) => {
      found(records.active).drills[1].closedAt = ago(200 * 86_400);
    },
  },
  {
    check: 'release-database',
    fault: 'something was deployed while it ran',
    says: /changed since drill-1/,
    spoil: ({ records }) => {
      delete found(records.active).drills[0].release;
    },
  },
];

const verdictsOf = (facts: Facts, environment: Environment): Record<string, ReadinessVerdict> =>
  Object.fromEntries(judge(facts, contextOf(environment)).checks.map(({ check, verdict }) => [check, verdict]));
const all = (environment: Environment) => verdictsOf(factsOf(healthy(environment)), environment);

describe.each(['production', 'staging'] as const)('where all is well, in %s', (environment) => {
  it('every check is ready, or says that it does not apply', () => {
    const without =
      environment === 'production' ? ['restore-window-standby'] : ['replication', 'replica-lag', 'certificate-standby'];
    expect(all(environment)).toEqual(
      Object.fromEntries(checks.map(({ name }) => [name, without.includes(name) ? 'not-applicable' : 'ready'])),
    );
  });
  it('every scenario is ready, and all of it', () => {
    const { verdict, scenarios } = judge(factsOf(healthy(environment)), contextOf(environment));
    expect(verdict).toBe('ready');
    expect(scenarios).toEqual(
      ['database', 'region'].map((scenario) => ({ scenario, verdict: 'ready', score: 100, missing: [] })),
    );
  });
});

describe('a fault', () => {
  it.each(faults)('$check: $fault', ({ check, says, spoil, in: environment = 'production', void: moot }) => {
    const facts = healthy(environment);
    spoil(facts);
    expect(verdictsOf(factsOf(facts), environment)).toEqual({
      ...all(environment),
      [check]: 'not-ready',
      ...(moot && { [moot]: 'not-applicable' }),
    });
    const result = judge(factsOf(facts), contextOf(environment)).checks.find((each) => each.check === check);
    expect(result?.reason).toMatch(says);
    expect(result?.runbook).toBe(`docs/runbooks/readiness.md#readiness-${check}`);
  });
  it('is in this table for every check', () => {
    expect([...new Set(faults.map(({ check }) => check))].sort()).toEqual(checks.map(({ name }) => name).sort());
  });
  it('of every drill, that there was none, is of all their checks', () => {
    const facts = healthy('production');
    found(facts.records.active).drills = [];
    expect(verdictsOf(factsOf(facts), 'production')).toEqual({
      ...all('production'),
      'drill-database': 'not-ready',
      'drill-region': 'not-ready',
      'release-database': 'not-ready',
      'release-region': 'not-ready',
    });
  });
  it('that a drill found in a backup counts against it, in both Regions', () => {
    const facts = healthy('production');
    const snapshot = found(facts.databases.active).snapshots[0].identifier;
    found(facts.records.active).proofs = [{ backup: snapshot, verdict: 'failed', at: ago(60) }];
    expect(verdictsOf(factsOf(facts), 'production')).toEqual({
      ...all('production'),
      backup: 'not-ready',
      'backup-standby': 'not-ready',
    });
  });
});

const silent = { silent: 'no answer' };
/** Which checks rest on which answer. */
const silences: readonly {
  readonly answer: string;
  readonly checks: readonly string[];
  silence(facts: Found): void;
}[] = [
  {
    answer: 'RDS where production is',
    checks: ['restore-window', 'backup'],
    silence: ({ databases }) => void Object.assign(databases, { active: silent }),
  },
  {
    answer: 'RDS in the DR Region',
    checks: ['replication', 'certificate-standby', 'backup-standby'],
    silence: ({ databases }) => void Object.assign(databases, { standby: silent }),
  },
  {
    answer: 'the incident table where production is',
    checks: ['drill-database', 'drill-region', 'release-database', 'release-region'],
    silence: ({ records }) => void Object.assign(records, { active: silent }),
  },
  {
    answer: 'the incident table of the DR Region',
    checks: ['profile'],
    silence: ({ records }) => void Object.assign(records, { standby: silent }),
  },
  {
    answer: 'KMS where production is',
    checks: ['keys'],
    silence: ({ keys }) => void Object.assign(keys, { active: silent }),
  },
  {
    answer: 'KMS in the DR Region',
    checks: ['keys-standby'],
    silence: ({ keys }) => void Object.assign(keys, { standby: silent }),
  },
  {
    answer: 'Secrets Manager where production is',
    checks: ['secrets'],
    silence: ({ secrets }) => void Object.assign(secrets, { active: silent }),
  },
  {
    answer: 'Secrets Manager in the DR Region',
    checks: ['secrets', 'secrets-standby'],
    silence: ({ secrets }) => void Object.assign(secrets, { standby: silent }),
  },
  {
    answer: 'the quotas where production is',
    checks: ['quotas'],
    silence: ({ quotas }) => void Object.assign(quotas, { active: silent }),
  },
  {
    answer: 'SNS in the DR Region',
    checks: ['subscriptions-standby'],
    silence: ({ subscriptions }) => void Object.assign(subscriptions, { standby: silent }),
  },
  ...(
    [
      ['heartbeat', 'heartbeat'],
      ['replica', 'replica-lag'],
      ['images', 'images'],
      ['terraform', 'terraform-state'],
      ['permissions', 'permissions'],
      ['cluster', 'cluster-access'],
      ['dns', 'dns'],
      ['endpoint', 'certificate-endpoint'],
    ] as const
  ).map(([source, check]) => ({
    answer: `the answer of ${source}`,
    checks: [check],
    silence: (facts: Found) => void Object.assign(facts, { [source]: silent }),
  })),
];

describe('silence', () => {
  it.each(silences)('of $answer makes $checks unknown, and nothing else', ({ checks: own, silence }) => {
    const facts = healthy('production');
    silence(facts);
    const unknown = Object.fromEntries(own.map((check) => [check, 'unknown']));
    expect(verdictsOf(factsOf(facts), 'production')).toEqual({ ...all('production'), ...unknown });
  });
  it.each(Object.keys(sources) as Source[])('of all of %s makes some checks unknown, and none bad', (source) => {
    const facts = { ...factsOf(healthy('production')), [source]: silent } as Facts;
    const changed = Object.entries(verdictsOf(facts, 'production')).filter(
      ([check, verdict]) => verdict !== all('production')[check],
    );
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.filter(([, verdict]) => verdict !== 'unknown')).toEqual([]);
  });
});

it('a standby that is reached without TLS has no certificate to judge', () => {
  const facts = healthy('production');
  found(facts.endpoint).url = 'http://dr.example.com';
  found(facts.endpoint).certificate = null;
  expect(verdictsOf(factsOf(facts), 'production')['certificate-endpoint']).toBe('not-applicable');
});

describe('the lag of a replica', () => {
  const lagging = (change: (facts: Found) => void) => {
    const facts = healthy('production');
    found(facts.replica).heartbeat = ago(3600);
    change(facts);
    return verdictsOf(factsOf(facts), 'production')['replica-lag'];
  };
  it('is none where production is idle: it holds the last heartbeat that there is', () => {
    expect(lagging(({ heartbeat }) => Object.assign(found(heartbeat), { newest: ago(3500), written: ago(3600) }))).toBe(
      'ready',
    );
  });
  it('is unknown where production is silent and the replica old: nobody knows whether it was idle', () => {
    expect(lagging((facts) => Object.assign(facts, { heartbeat: silent }))).toBe('unknown');
  });
  it('is none where production is silent and the replica new', () => {
    expect(
      lagging((facts) => {
        Object.assign(facts, { heartbeat: silent });
        found(facts.replica).heartbeat = ago(30);
      }),
    ).toBe('ready');
  });
});
