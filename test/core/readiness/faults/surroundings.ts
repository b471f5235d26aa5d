/** What may be wrong with what a recovery needs beside the database. */
import { ago, long } from '../facts.ts';
import { type Fault, found, type Loose } from './fault.ts';

export const surroundingFaults: readonly Fault[] = [
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
