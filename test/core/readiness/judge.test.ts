import { describe, expect, it } from 'vitest';
import { acceptReadiness } from '../../../core/readiness/accept-readiness.ts';
import { ReadinessRecord } from '../../../core/readiness/contracts.ts';
import type { Looked } from '../../../core/readiness/facts.ts';
import { factsIn, judge } from '../../../core/readiness/judge.ts';
import { reportReadiness } from '../../../core/readiness/report-readiness.ts';
import { activeDatabase, FakeClock, FakeControl, settings } from '../fakes.ts';
import { contextOf, healthy, now } from './facts.ts';

const looked = (): Looked[] => Object.entries(healthy('production')).map(([source, facts]) => ({ source, facts }));
const without = (source: string) => looked().filter((each) => each.source !== source);
const unknownIn = (all: readonly Looked[]) =>
  judge(factsIn(all), contextOf('production'))
    .checks.filter(({ verdict }) => verdict === 'unknown')
    .map(({ check, reason }) => `${check}: ${reason}`);

describe('what the looks hand on', () => {
  it.each<{ case: string; instead: Looked[]; says: RegExp }>([
    {
      case: 'a look that failed',
      instead: [{ source: 'terraform', failure: { Error: 'States.Timeout', Cause: 'it took too long' } }],
      says: /the look at terraform failed: States\.Timeout: it took too long/,
    },
    {
      case: 'facts that nobody understands',
      instead: [{ source: 'terraform', facts: { found: 1 } }],
      says: /of another version/,
    },
    { case: 'no look at all', instead: [], says: /nobody looked at terraform/ },
  ])('$case makes its checks unknown, with the reason', ({ instead, says }) => {
    const unknown = unknownIn([...without('terraform'), ...instead]);
    expect(unknown).toHaveLength(1);
    expect(unknown[0]).toMatch(/^terraform-state: /);
    expect(unknown[0]).toMatch(says);
  });
  it('(control) leaves nothing unknown where all answered', () => {
    expect(unknownIn(looked())).toEqual([]);
  });
});

describe('a scenario', () => {
  it('is not ready for what is wrong, whatever is unknown; its score counts both', () => {
    const facts = healthy('production');
    Object.assign(facts.images, { found: { export: null, checked: 0, missing: [] } });
    Object.assign(facts, { cluster: { silent: 'no answer' } });
    const { verdict, scenarios } = judge(
      factsIn(Object.entries(facts).map(([source, each]) => ({ source, facts: each }))),
      contextOf('production'),
    );
    expect(verdict).toBe('not-ready');
    expect(scenarios).toMatchObject([
      { scenario: 'database', verdict: 'ready', score: 100 },
      { scenario: 'region', verdict: 'not-ready', missing: ['images', 'cluster-access'] },
    ]);
    expect(scenarios[1]?.score).toBeGreaterThan(80);
    expect(scenarios[1]?.score).toBeLessThan(95);
  });
  it('is unknown where nothing is wrong and something is not known', () => {
    const { scenarios } = judge(factsIn(without('cluster')), contextOf('production'));
    expect(scenarios).toMatchObject([{ verdict: 'ready' }, { verdict: 'unknown', missing: ['cluster-access'] }]);
  });
});

describe('a run', () => {
  const report = async (all: readonly Looked[]) => {
    const kept: unknown[] = [];
    const measured: { name: string; value: number; dimensions?: object }[] = [];
    const reported = await reportReadiness(
      { run: contextOf('production').run, looked: all },
      {
        settings: contextOf('production').settings,
        clock: new FakeClock(now),
        readiness: { record: async (record) => void kept.push(record) },
        metrics: { put: async (values) => void measured.push(...values) },
      },
    );
    return { reported, record: ReadinessRecord.parse(kept[0]), measured };
  };
  it('is kept with time, checks and verdict, and measured check by check and scenario by scenario', async () => {
    const { reported, record, measured } = await report(looked());
    expect(reported).toMatchObject({ verdict: 'ready', summary: 'all is ready' });
    expect(record).toMatchObject({ at: now, verdict: 'ready' });
    expect(measured).toContainEqual({ name: 'ReadinessLooked', value: 1, unit: 'Count' });
    expect(measured).toContainEqual({ name: 'ReadinessUnknown', value: 0, unit: 'Count' });
    expect(measured).toContainEqual({
      name: 'ReadinessScore',
      value: 100,
      unit: 'Percent',
      dimensions: { Scenario: 'database' },
    });
    expect(measured.filter(({ name }) => name === 'CheckNotReady')).toHaveLength(record.checks.length);
    expect(measured.filter(({ name, value }) => name === 'CheckNotReady' && value !== 0)).toEqual([]);
  });
  it('counts what is unknown, and calls it no fault', async () => {
    const { measured } = await report(without('cluster'));
    expect(measured).toContainEqual({ name: 'ReadinessUnknown', value: 1, unit: 'Count' });
    expect(measured.filter(({ name, value }) => name === 'CheckNotReady' && value !== 0)).toEqual([]);
  });
  it('names what is wrong', async () => {
    const facts = healthy('production');
    Object.assign(facts, { cluster: { found: { status: 'ACTIVE', answer: 403 } } });
    const { reported, measured } = await report(
      Object.entries(facts).map(([source, each]) => ({ source, facts: each })),
    );
    expect(reported.summary).toMatch(/^cluster-access is not-ready: .* answers 403$/);
    expect(measured.filter(({ name, value }) => name === 'CheckNotReady' && value === 1)).toMatchObject([
      { dimensions: { Check: 'cluster-access' } },
    ]);
  });
});

describe('whether a Region looks', () => {
  const accept = async (region: string, isRegistered = true) => {
    const measured: string[] = [];
    const control = new FakeControl();
    control.active = isRegistered ? { ...activeDatabase, region: settings.primary.region } : undefined;
    const accepted = await acceptReadiness(
      { request: { permissions: 'now' }, execution: { arn: 'arn:1', startedAt: now } },
      {
        settings,
        region,
        control,
        metrics: { put: async (values) => void measured.push(...values.map((v) => v.name)) },
      },
    );
    return { accepted, measured };
  };
  it('it does where production would be recovered to', async () => {
    const { accepted, measured } = await accept(settings.dr.region);
    expect(accepted).toMatchObject({
      run: {
        id: 'readiness-20261128T120000Z',
        region: settings.dr.region,
        activeRegion: settings.primary.region,
        permissions: 'now',
      },
    });
    expect(measured).toEqual([]);
  });
  it('it rests where production is, and says so, so that its alarm rests', async () => {
    const { accepted, measured } = await accept(settings.primary.region);
    expect(accepted).toMatchObject({ skipped: expect.stringContaining(settings.dr.region) });
    expect(measured).toEqual(['ReadinessLooked']);
  });
  it('it does not begin where nobody knows what production is', async () => {
    await expect(accept(settings.dr.region, false)).rejects.toMatchObject({ name: 'ActiveDatabaseUnknown' });
  });
});
