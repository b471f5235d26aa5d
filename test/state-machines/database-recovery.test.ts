/** The ways through database-recovery: a drill, a recovery of production, a repair of tables. */
import { describe, expect, it } from 'vitest';
import { boom, definitionOf, failing, play, recovery, repairing, type Script, silence, tasksIn } from './machines.ts';

const machine = 'database-recovery';
const definition = definitionOf(machine);
const tasks = tasksIn(definition);
const afterwards = ['TearDown', 'AwaitTornDown', 'CloseIncident'];
const afterFailure = ['Compensate', 'CloseIncident'];

describe('a drill in which all is well', () => {
  it('takes every state of the try, then tears down and closes', async () => {
    const { status, states, result, payloadsOf } = await play(machine);
    expect(status).toBe('SUCCEEDED');
    const serial = states.filter((state) => !['CheckParity', 'PlanGate', 'CheckGate', 'JudgeGate'].includes(state));
    expect(serial).toEqual([
      ...['AcceptRequest', 'TakeLease', 'OpenIncident', 'AssessDatabase', 'RestoreDatabase', 'AwaitAvailable'],
      ...['ConfigureDatabase', 'AwaitUsable', 'FenceDatabase', 'SetCredentials'],
      ...[
        'CutOver',
        'AwaitWorkload',
        'ValidateApplication',
        'ValidatePerformance',
        'PlanDeep',
        'CheckDeep',
        'JudgeDeep',
      ],
      ...afterwards,
    ]);
    expect(states.filter((state) => state === 'CheckGate')).toHaveLength(3);
    expect(payloadsOf('CloseIncident')).toEqual([expect.objectContaining({ failure: null })]);
    expect(result).toEqual({ status: 'closed' });
  });
  it('calls nothing that is for production or for refusals', async () => {
    const { states } = await play(machine);
    expect(tasks.map(({ name }) => name).filter((name) => !states.includes(name))).toEqual([
      ...['ReportRefusal', 'RequestApproval', 'Replan', 'FenceSource', 'SnapshotSource', 'AwaitSnapshot', 'LoadDump'],
      ...['RepairTables', 'ProtectDatabase', 'AwaitProtected', 'Compensate', 'StartFollowUp'],
    ]);
  });
  it('fences before it sets credentials, and cuts over only after parity and the gate', async () => {
    const { states } = await play(machine);
    const order = ['FenceDatabase', 'SetCredentials', 'CheckParity', 'CutOver'].map((state) => states.indexOf(state));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(states.indexOf('JudgeGate')).toBeLessThan(states.indexOf('CutOver'));
  });
  it('hands plan and candidate on to those who need them', async () => {
    const { payloadsOf } = await play(machine);
    expect(payloadsOf('CutOver')).toEqual([
      expect.objectContaining({ plan: { candidate: 'dr-drill-db-1' }, candidate: { identifier: 'dr-drill-db-1' } }),
    ]);
  });
});

describe('a recovery of production', () => {
  const secure = ['SnapshotSource', 'AwaitSnapshot'];
  const gate = ['CheckParity', 'PlanGate', 'CheckGate', 'JudgeGate'];
  const unasked: Script = { ...recovery, AssessDatabase: () => ({ candidate: 'db-2', approval: 'none' }) };

  it('asks, plans again, fences production, secures it, cuts over, protects, and starts the drill that looks in depth', async () => {
    const { status, states, payloadsOf } = await play(machine, recovery);
    expect(status).toBe('SUCCEEDED');
    expect(states.filter((state) => ![...secure, ...gate].includes(state))).toEqual([
      ...['AcceptRequest', 'TakeLease', 'OpenIncident', 'AssessDatabase', 'RequestApproval', 'Replan', 'FenceSource'],
      ...['RestoreDatabase', 'AwaitAvailable', 'ConfigureDatabase', 'AwaitUsable', 'FenceDatabase', 'SetCredentials'],
      ...['CutOver', 'AwaitWorkload', 'ValidateApplication', 'ValidatePerformance', 'ProtectDatabase'],
      ...['AwaitProtected', 'CloseIncident', 'StartFollowUp'],
    ]);
    expect(states.filter((state) => secure.includes(state))).toEqual(secure);
    expect(states.indexOf('AwaitSnapshot')).toBeLessThan(states.indexOf('CutOver'));
    expect(states.indexOf('JudgeGate')).toBeLessThan(states.indexOf('CutOver'));
    expect(payloadsOf('CloseIncident')).toEqual([expect.objectContaining({ failure: null })]);
  });
  it('calls every task but those of drills, refusals and failures', async () => {
    const { states } = await play(machine, recovery);
    expect(tasks.map(({ name }) => name).filter((name) => !states.includes(name))).toEqual([
      ...['ReportRefusal', 'LoadDump', 'RepairTables', 'PlanDeep', 'CheckDeep', 'JudgeDeep', 'Compensate'],
      ...['TearDown', 'AwaitTornDown'],
    ]);
  });
  it('asks nobody where the plan says so, and keeps its first plan', async () => {
    const { status, states, payloadsOf } = await play(machine, unasked);
    expect(status).toBe('SUCCEEDED');
    expect(states).not.toContain('RequestApproval');
    expect(states).not.toContain('Replan');
    expect(payloadsOf('FenceSource')).toEqual([
      expect.objectContaining({ plan: { candidate: 'db-2', approval: 'none' } }),
    ]);
  });
  it('plans again with the decision, and hands that plan on', async () => {
    const { payloadsOf } = await play(machine, recovery);
    expect(payloadsOf('Replan')).toEqual([
      expect.objectContaining({ decision: { approved: true, by: 'alice', reason: 'the table is gone' } }),
    ]);
    for (const state of ['FenceSource', 'SnapshotSource', 'RestoreDatabase', 'CutOver', 'ProtectDatabase'])
      expect(payloadsOf(state)).toEqual([expect.objectContaining({ plan: { candidate: 'db-2', approval: 'ask' } })]);
    expect(payloadsOf('CutOver')).toEqual([expect.objectContaining({ candidate: { identifier: 'db-2' } })]);
  });
  it('gives the task token to the question alone', async () => {
    const { calls } = await play(machine, recovery);
    expect(calls.filter(({ payload }) => 'taskToken' in payload).map(({ state }) => state)).toEqual([
      'RequestApproval',
    ]);
  });

  const before = ['AcceptRequest', 'TakeLease', 'OpenIncident', 'AssessDatabase', 'RequestApproval'];
  it('that is declined changes nothing, closes and fails with who declined and why', async () => {
    const { status, error, cause, states, payloadsOf } = await play(machine, {
      ...recovery,
      RequestApproval: () => ({ approved: false, by: 'bob', reason: 'a false alarm' }),
    });
    expect({ status, error, cause }).toEqual({
      status: 'FAILED',
      error: 'ApprovalDeclined',
      cause: 'bob declined: a false alarm',
    });
    expect(states).toEqual([...before, ...afterFailure]);
    expect(payloadsOf('CloseIncident')).toEqual([
      expect.objectContaining({ failure: { Error: 'ApprovalDeclined', Cause: 'bob declined: a false alarm' } }),
    ]);
  });
  it('that nobody answers is declined after the configured time', async () => {
    const { status, error, states, waits } = await play(machine, { ...recovery, RequestApproval: () => silence });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'ApprovalTimedOut' });
    expect(states).toEqual([...before, ...afterFailure]);
    expect(waits.map(({ seconds }) => seconds)).toContain(3600);
  });
  it.each(['FenceSource', 'SnapshotSource', 'AwaitSnapshot', 'RestoreDatabase', 'JudgeGate'])(
    'that fails in %s before the cut-over is compensated, not torn down, and starts no drill',
    async (name) => {
      const { error, states, payloadsOf } = await play(machine, { ...recovery, ...failing(name, 'Boom') });
      expect(error).toBe('Boom');
      expect(states.slice(-2)).toEqual(afterFailure);
      for (const state of ['CutOver', 'TearDown', 'AwaitTornDown', 'StartFollowUp'])
        expect(states).not.toContain(state);
      expect(payloadsOf('Compensate')).toEqual([expect.objectContaining({ failure: boom })]);
    },
  );
  it.each(['AwaitWorkload', 'ValidateApplication', 'ProtectDatabase', 'AwaitProtected'])(
    'that fails in %s after the cut-over keeps the new production: nothing is torn down',
    async (name) => {
      const { states } = await play(machine, { ...recovery, ...failing(name, 'Boom') });
      expect(states.slice(-2)).toEqual(afterFailure);
      expect(states).not.toContain('TearDown');
    },
  );
  it('whose compensation fails too reports the first failure', async () => {
    const { error, payloadsOf } = await play(machine, {
      ...recovery,
      ...failing('CutOver', 'LeaseLost'),
      ...failing('Compensate', 'CompensationFailed'),
    });
    expect(error).toBe('LeaseLost');
    expect(payloadsOf('CloseIncident')).toEqual([
      expect.objectContaining({ failure: { Error: 'LeaseLost', Cause: 'why LeaseLost' } }),
    ]);
  });
  it('has succeeded even where the drill of its result cannot be started', async () => {
    const { status, result } = await play(machine, { ...recovery, ...failing('StartFollowUp', 'Boom') });
    expect({ status, result }).toEqual({ status: 'SUCCEEDED', result: expect.anything() });
  });
});

describe('a repair of named tables', () => {
  it('asks, keeps production in service, repairs it from the copy, validates it, and tears the copy down', async () => {
    const { status, states, payloadsOf } = await play(machine, repairing);
    expect(status).toBe('SUCCEEDED');
    const beside = ['SnapshotSource', 'AwaitSnapshot', 'CheckParity', 'PlanGate', 'CheckGate', 'JudgeGate'];
    expect(states.filter((state) => !beside.includes(state))).toEqual([
      ...['AcceptRequest', 'TakeLease', 'OpenIncident', 'AssessDatabase', 'RequestApproval', 'Replan'],
      ...['RestoreDatabase', 'AwaitAvailable', 'ConfigureDatabase', 'AwaitUsable', 'FenceDatabase', 'SetCredentials'],
      ...['RepairTables', 'ValidateApplication', 'ValidatePerformance', ...afterwards, 'StartFollowUp'],
    ]);
    for (const state of beside) expect(states.indexOf(state)).toBeLessThan(states.indexOf('RepairTables'));
    expect(payloadsOf('RepairTables')).toEqual([
      expect.objectContaining({ candidate: { identifier: 'dr-drill-db-1' }, step: 'RepairTables' }),
    ]);
    for (const state of ['ValidateApplication', 'ValidatePerformance'])
      expect(payloadsOf(state)).toEqual([expect.objectContaining({ candidate: { identifier: 'db-0' } })]);
  });
  it.each(['SnapshotSource', 'RestoreDatabase', 'JudgeGate', 'RepairTables', 'ValidateApplication'])(
    'that fails in %s tears the copy down, closes and fails with that error',
    async (name) => {
      const { error, cause, states } = await play(machine, { ...repairing, ...failing(name, 'Boom') });
      expect({ error, cause }).toEqual({ error: 'Boom', cause: 'why Boom' });
      expect(states.slice(-3)).toEqual(afterwards);
      expect(states).not.toContain('Compensate');
    },
  );
  it('that is declined has nothing to tear down but looks, and closes', async () => {
    const { error, states } = await play(machine, {
      ...repairing,
      RequestApproval: () => ({ approved: false, by: 'bob', reason: 'a false alarm' }),
    });
    expect(error).toBe('ApprovalDeclined');
    expect(states.slice(-3)).toEqual(afterwards);
  });
});
