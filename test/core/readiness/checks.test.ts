/** Each check goes not-ready when its fact is bad, and only then; unknown when its source does not answer. */
import { describe, expect, it } from 'vitest';
import { checks } from '../../../core/readiness/checks/index.ts';
import type { ReadinessVerdict } from '../../../core/readiness/contracts.ts';
import type { Facts, Source } from '../../../core/readiness/facts.ts';
import { sources } from '../../../core/readiness/facts.ts';
import { judge } from '../../../core/readiness/judge.ts';
import { ago, contextOf, type Environment, type Found, factsOf, healthy } from './facts.ts';
import { databaseFaults } from './faults/database.ts';
import { found } from './faults/fault.ts';
import { surroundingFaults } from './faults/surroundings.ts';

/** The table: fault → check. */
const faults = [...databaseFaults, ...surroundingFaults];

const verdictsOf = (facts: Facts, environment: Environment): Record<string, ReadinessVerdict> =>
  Object.fromEntries(judge(facts, contextOf(environment)).checks.map(({ check, verdict }) => [check, verdict]));
const all = (environment: Environment) => verdictsOf(factsOf(healthy(environment)), environment);

describe.each(['production', 'staging', 'strict'] as const)('where all is well, in %s', (environment) => {
  it('every check is ready, or says that it does not apply', () => {
    const without = {
      production: ['restore-window-standby', 'tenure'],
      staging: ['replication', 'replica-lag', 'certificate-standby', 'tenure'],
      strict: ['restore-window-standby'],
    }[environment];
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
  it('is none that the storage of the replica is optimized: it follows, and can be promoted', () => {
    const facts = healthy('production');
    found(facts.databases.standby).replica.status = 'storage-optimization';
    expect(verdictsOf(factsOf(facts), 'production')).toEqual(all('production'));
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
  readonly in?: Environment;
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
    checks: ['profile', 'reach'],
    silence: ({ records }) => void Object.assign(records, { standby: silent }),
  },
  {
    answer: 'the memory of the guard where production is',
    checks: ['tenure'],
    in: 'strict',
    silence: ({ records }) => void Object.assign(found(records.tenure), { remembered: silent }),
  },
  {
    answer: 'the control table of the DR Region',
    checks: ['tenure'],
    in: 'strict',
    silence: ({ records }) => void Object.assign(found(records.tenure), { held: silent }),
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
  it.each(silences)(
    'of $answer makes $checks unknown, and nothing else',
    ({ checks: own, silence, in: environment = 'production' }) => {
      const facts = healthy(environment);
      silence(facts);
      const unknown = Object.fromEntries(own.map((check) => [check, 'unknown']));
      expect(verdictsOf(factsOf(facts), environment)).toEqual({ ...all(environment), ...unknown });
    },
  );
  it.each(Object.keys(sources) as Source[])('of all of %s makes some checks unknown, and none bad', (source) => {
    const facts = { ...factsOf(healthy('production')), [source]: silent } as Facts;
    const changed = Object.entries(verdictsOf(facts, 'production')).filter(
      ([check, verdict]) => verdict !== all('production')[check],
    );
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.filter(([, verdict]) => verdict !== 'unknown')).toEqual([]);
  });
});

it('production in the DR Region has no tenure: nothing can part it from there', () => {
  const { settings, run, now } = contextOf('strict');
  const there = { ...run, region: settings.primary.region, activeRegion: settings.dr.region };
  const facts = factsOf(healthy('strict'));
  const [own] = judge(facts, { settings, now, run: there }).checks.filter(({ check }) => check === 'tenure');
  expect(own).toMatchObject({ verdict: 'not-applicable', reason: expect.stringContaining('cannot be cut off') });
});

it('production in the DR Region is looked at by nobody from outside: whether it is reached does not apply', () => {
  const { settings, run, now } = contextOf('production');
  const there = { ...run, region: settings.primary.region, activeRegion: settings.dr.region };
  const [own] = judge(factsOf(healthy('production')), { settings, now, run: there }).checks.filter(
    ({ check }) => check === 'reach',
  );
  expect(own).toMatchObject({ verdict: 'not-applicable' });
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
