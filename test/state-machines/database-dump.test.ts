/** The restore from a dump in the machine: loaded by a job, between an empty instance and its fence. */
import { describe, expect, it } from 'vitest';
import { fail, healthy, play, recovery, type Script } from './machines.ts';

const machine = 'database-recovery';
const plan = { candidate: 'dr-drill-db-1', restore: { kind: 'dump', dump: 'stocker-db-20261122-020000.sql.gz' } };
const fromDump: Script = { AssessDatabase: () => plan };
const ofProduction: Script = { ...recovery, AssessDatabase: () => ({ ...plan, approval: 'none' }) };

describe('a drill from a dump', () => {
  it('loads it into the instance that is usable, and fences that afterwards', async () => {
    const { status, states, payloadsOf } = await play(machine, fromDump);
    expect(status).toBe('SUCCEEDED');
    const from = states.indexOf('AwaitUsable');
    expect(states.slice(from, from + 3)).toEqual(['AwaitUsable', 'LoadDump', 'FenceDatabase']);
    expect(payloadsOf('LoadDump')).toEqual([
      {
        incident: { id: 'drill-1', mode: 'drill' },
        step: 'LoadDump',
        plan,
        candidate: { identifier: 'dr-drill-db-1' },
      },
    ]);
  });
  it('(control) a restore to a time loads nothing', async () => {
    const script: Script = { AssessDatabase: () => ({ ...plan, restore: { kind: 'time', at: 'latest' } }) };
    expect((await play(machine, script)).states).not.toContain('LoadDump');
  });

  const why = 's3://dumps/x is no whole dump';
  const unusable: Script = { ...fromDump, LoadDump: () => fail('DumpUnusable', why) };
  it('ends with the job’s own error where the dump is unusable, and is torn down', async () => {
    const { status, error, cause, states, payloadsOf } = await play(machine, unusable);
    expect({ status, error, cause }).toMatchObject({ status: 'FAILED', error: 'DumpUnusable', cause: why });
    expect(states.slice(states.indexOf('LoadDump'))).toEqual([
      'LoadDump',
      'TearDown',
      'AwaitTornDown',
      'CloseIncident',
    ]);
    expect(payloadsOf('CloseIncident')).toEqual([
      expect.objectContaining({ failure: { Error: 'DumpUnusable', Cause: why } }),
    ]);
  });
  it('fails where the build dies, and is not started again', async () => {
    const { status, error, states } = await play(machine, { ...fromDump, LoadDump: () => fail('States.TaskFailed') });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'States.TaskFailed' });
    expect(states.filter((state) => state === 'LoadDump')).toHaveLength(1);
  });
});

describe('a recovery from a dump', () => {
  it('undoes what it did to production where the dump is unusable', async () => {
    const { states, error } = await play(machine, { ...ofProduction, LoadDump: () => fail('DumpUnusable') });
    expect(error).toBe('DumpUnusable');
    expect(states).toContain('FenceSource');
    expect(states.slice(-2)).toEqual(['Compensate', 'CloseIncident']);
    expect(states).not.toContain('CutOver');
  });
  it('(control) goes on to the cut-over where it is loaded', async () => {
    const { states } = await play(machine, { ...healthy, ...ofProduction });
    expect(states.indexOf('LoadDump')).toBeLessThan(states.indexOf('CutOver'));
  });
});
