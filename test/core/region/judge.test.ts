import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../../../core/readiness/contracts.ts';
import type { PrimaryLook, SignalState } from '../../../core/region/contracts.ts';
import { decideFailover, type FailoverFacts, judgePrimary } from '../../../core/region/judge.ts';

type States = readonly [endpoint: SignalState, database: SignalState, controlPlane: SignalState];
const up: States = ['up', 'up', 'up'];
const down: States = ['down', 'down', 'down'];

const looksOf = (...all: readonly States[]): PrimaryLook[] =>
  all.map(([endpoint, database, controlPlane], minute) => ({
    version: 1,
    at: `2026-11-22T20:0${minute}:00.000Z`,
    region: 'us-east-1',
    epoch: 1,
    signals: [
      { signal: 'endpoint', state: endpoint, detail: 'as seen' },
      { signal: 'database', state: database, detail: 'as seen' },
      { signal: 'control-plane', state: controlPlane, detail: 'as seen' },
    ],
  }));

describe('the primary is', () => {
  test.each<{ case: string; looks: PrimaryLook[]; state: string }>([
    { case: 'everything is down in every look', looks: looksOf(down, down, down), state: 'lost' },
    {
      case: 'two signals are down in every look, and the third is unknown',
      looks: looksOf(['down', 'unknown', 'down'], ['down', 'unknown', 'down'], ['down', 'unknown', 'down']),
      state: 'lost',
    },
    {
      case: 'two signals are down, and the control plane lives',
      looks: looksOf(['down', 'down', 'up'], ['down', 'down', 'up'], ['down', 'down', 'up']),
      state: 'lost',
    },
    { case: 'everything is up', looks: looksOf(up, up, up), state: 'alive' },
    { case: 'everything is up again', looks: looksOf(down, down, up), state: 'alive' },
    { case: 'one look is missing', looks: looksOf(down, down), state: 'undecided' },
    { case: 'it was down for one look only', looks: looksOf(up, up, down), state: 'undecided' },
    {
      case: 'one signal alone is down',
      looks: looksOf(['down', 'up', 'up'], ['down', 'up', 'up'], ['down', 'up', 'up']),
      state: 'undecided',
    },
    {
      case: 'two signals flap in turns',
      looks: looksOf(['down', 'up', 'up'], ['down', 'down', 'up'], ['up', 'down', 'up']),
      state: 'undecided',
    },
    {
      case: 'all is unknown: unknown is not down',
      looks: looksOf(
        ['unknown', 'unknown', 'unknown'],
        ['unknown', 'unknown', 'unknown'],
        ['unknown', 'unknown', 'unknown'],
      ),
      state: 'undecided',
    },
    { case: 'nobody has looked', looks: [], state: 'undecided' },
  ])('$state where $case', ({ looks, state }) => {
    const judged = judgePrimary(looks, 3);
    expect(judged.state).toBe(state);
    expect(judged.reasons.length).toBeGreaterThan(0);
  });
});

const check = (name: string, change: Partial<CheckResult> = {}): CheckResult => ({
  check: name,
  verdict: 'ready',
  reason: 'as it should be',
  seenAt: '2026-11-22T20:00:00.000Z',
  evidence: {},
  dependsOn: 'dr',
  scenarios: ['region'],
  runbook: 'docs/runbooks/readiness.md',
  ...change,
});

const facts: FailoverFacts = {
  style: 'ungraceful',
  primary: judgePrimary(looksOf(down, down, down), 3),
  live: [check('replica-lag'), check('cluster-access')],
  before: { at: '2026-11-22T20:00:00.000Z', checks: [check('replication'), check('images')] },
  lagSeconds: 5,
  bounds: { gracefulLagSeconds: 60, readinessAgeSeconds: 7200 },
  detectedAt: '2026-11-22T20:05:00.000Z',
  waiver: undefined,
};
const denied = (change: Partial<FailoverFacts>) =>
  decideFailover({ ...facts, ...change }).denials.map(({ check: name }) => name);

describe('a failover', () => {
  test('goes on where the primary is lost and the standby can serve', () => {
    expect(decideFailover(facts)).toEqual({ denials: [], waived: [], notes: [] });
  });

  test.each<{ case: string; change: Partial<FailoverFacts>; by: string }>([
    { case: 'the primary is alive', change: { primary: judgePrimary(looksOf(up, up, up), 3) }, by: 'primary-lost' },
    { case: 'that is undecided', change: { primary: judgePrimary([], 3) }, by: 'primary-lost' },
    { case: 'readiness was never looked at', change: { before: undefined }, by: 'readiness' },
    {
      case: 'the replica is behind',
      change: { live: [check('replica-lag', { verdict: 'not-ready' })] },
      by: 'replica-lag',
    },
    {
      case: 'whether the cluster admits the recovery is unknown',
      change: { live: [check('cluster-access', { verdict: 'unknown' })] },
      by: 'cluster-access',
    },
    {
      case: 'an image was missing before',
      change: { before: { at: facts.detectedAt, checks: [check('images', { verdict: 'not-ready' })] } },
      by: 'images',
    },
    {
      case: 'what was ready before was looked at too long ago',
      change: { before: { at: '2026-11-22T17:00:00.000Z', checks: [check('images')] } },
      by: 'images',
    },
    { case: 'a switchover meets a primary that is lost', change: { style: 'graceful' }, by: 'primary-alive' },
    {
      case: 'a switchover meets a replica beyond its bound',
      change: { style: 'graceful', primary: judgePrimary(looksOf(up, up, up), 3), lagSeconds: 61 },
      by: 'replica-close',
    },
    {
      case: 'a switchover meets a replica of which nothing is known',
      change: { style: 'graceful', primary: judgePrimary(looksOf(up, up, up), 3), lagSeconds: undefined },
      by: 'replica-close',
    },
  ])('is denied where $case, until a person waives it by that name', ({ change, by }) => {
    expect(denied(change)).toEqual([by]);
    const waiver = { checks: [by], by: 'alice', reason: 'I see it with my own eyes' };
    const decision = decideFailover({ ...facts, ...change, waiver });
    expect(decision.denials).toEqual([]);
    expect(decision.waived).toEqual([expect.stringMatching(new RegExp(`^${by} .*waived by alice$`, 's'))]);
    // Another name waives nothing of it.
    expect(denied({ ...change, waiver: { ...waiver, checks: ['backup-standby'] } })).toEqual([by]);
  });

  test('is not held up by what is no part of it, and says so', () => {
    const before = {
      at: facts.detectedAt,
      checks: [check('drill-region', { verdict: 'not-ready', reason: 'none yet' })],
    };
    const decision = decideFailover({ ...facts, before });
    expect(decision.denials).toEqual([]);
    expect(decision.notes).toEqual([expect.stringContaining('drill-region: none yet')]);
  });

  test('takes what was looked at live for what it is, whatever was true before', () => {
    const before = { at: facts.detectedAt, checks: [check('replica-lag', { verdict: 'not-ready' })] };
    expect(denied({ before })).toEqual([]);
  });
});
