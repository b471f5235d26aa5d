import { describe, expect, it } from 'vitest';
import { BackupRun, FailedPart, Outcome, Part } from '../../core/backup/contracts.ts';
import type { Json, JsonObject } from '../../local/states/json.ts';
import { makeRun } from '../core/backup/fakes.ts';
import { definitionOf, fail, type Placed, play, retriersOf, routeOf, type Script, tasksIn } from './machines.ts';

const machine = 'backup';
const tasks = tasksIn(definitionOf(machine));
const run = JSON.parse(JSON.stringify(makeRun())) as JsonObject;
const passed = (part: string) => (): Json => ({ part, verdict: 'passed', summary: `${part} is done`, facts: {} });
const exported = { outcome: passed('cluster-state')(), images: ['app@sha256:1'], unresolved: [] };

/** What the functions answer when all is well; ReportBackup judges as the function does. */
const well: Script = {
  AcceptBackup: () => ({ run }),
  TakeSnapshot: passed('snapshot'),
  AwaitBackup: passed('snapshot'),
  CopySnapshot: passed('copy'),
  AwaitCopy: passed('copy'),
  VerifyBackup: passed('verification'),
  KeepHere: passed('retention'),
  KeepElsewhere: passed('retention-elsewhere'),
  AssureProtection: passed('protection'),
  ExportCluster: () => exported,
  CheckConfiguration: passed('configuration'),
  CheckDump: passed('dump'),
  StartProof: () => ({ part: 'proof', backup: 'dr-backup-x', executionArn: 'arn:drill', requestId: 'proof-1' }),
  AwaitProof: passed('proof'),
  ReportBackup: ({ outcomes }) => {
    const failed = (outcomes as JsonObject[]).filter((each) => 'failure' in each || each.verdict === 'failed');
    return {
      verdict: failed.length === 0 ? 'succeeded' : 'failed',
      summary: `failed: ${failed.map(({ part }) => part).join()}`,
      report: 's3://x',
    };
  },
};
const prove: Script = { ...well, AcceptBackup: () => ({ run: { ...run, task: 'prove' } }) };
const go = (script: Script = {}) => play(machine, { ...well, ...script }, { task: 'backup' });
const goProve = (script: Script = {}, task = 'prove') =>
  play(machine, { ...prove, AcceptBackup: () => ({ run: { ...run, task } }), ...script }, { task });
const outcomesOf = ({ payloadsOf }: Awaited<ReturnType<typeof play>>) =>
  payloadsOf('ReportBackup').flatMap(({ outcomes }) => outcomes as JsonObject[]);
const partsOf = (played: Awaited<ReturnType<typeof play>>) => outcomesOf(played).map(({ part }) => String(part));
const failedOf = (played: Awaited<ReturnType<typeof play>>) =>
  outcomesOf(played)
    .filter((each) => 'failure' in each)
    .map(({ part }) => part);

const everyPart = Part.options.filter((part) => !part.endsWith('proof')).toSorted();

describe('a backup in which all is well', () => {
  it('does every part and reports each of them, once', async () => {
    const played = await go();
    expect(played.status).toBe('SUCCEEDED');
    expect(partsOf(played).toSorted()).toEqual(everyPart);
    expect(played.states.at(-1)).toBe('ReportBackup');
    expect(played.states).not.toContain('StartProof');
  });
  it('snapshots, waits, copies, waits, verifies, and only then deletes anything', async () => {
    const { states } = await go();
    const order = [
      'TakeSnapshot',
      'AwaitBackup',
      'CopySnapshot',
      'AwaitCopy',
      'VerifyBackup',
      'KeepHere',
      'KeepElsewhere',
    ];
    expect(states.filter((state) => order.includes(state))).toEqual(order);
  });
  it('keeps snapshots in both Regions', async () => {
    const { payloadsOf } = await go();
    expect(payloadsOf('KeepHere')[0]?.region).toBe(run.region);
    expect(payloadsOf('KeepElsewhere')[0]?.region).toBe(run.otherRegion);
  });
  it('looks for the images that were exported', async () => {
    const { payloadsOf } = await go();
    expect(payloadsOf('CheckConfiguration')).toEqual([
      expect.objectContaining({ images: exported.images, unresolved: [] }),
    ]);
  });
  it('hands on what the functions parse', async () => {
    const { payloadsOf, calls } = await go();
    for (const { state, payload } of calls)
      if (state !== 'AcceptBackup') expect(BackupRun.safeParse(payload.run).success, state).toBe(true);
    for (const outcome of payloadsOf('ReportBackup').flatMap(({ outcomes }) => outcomes as Json[]))
      expect(Outcome.safeParse(outcome).success).toBe(true);
    expect(payloadsOf('AcceptBackup').map(({ request }) => request)).toEqual([{ task: 'backup' }]);
  });
});

describe('the failure of one part', () => {
  const parts = tasks
    .map(({ name }) => name)
    .filter((name) => !['AcceptBackup', 'ReportBackup', 'StartProof', 'AwaitProof'].includes(name));

  it.each(parts)('of %s is recorded, fails the run, and stops no other part', async (name) => {
    const played = await go({ [name]: () => fail('Boom') });
    expect(played).toMatchObject({ status: 'FAILED', error: 'BackupIncomplete' });
    expect(failedOf(played)).toHaveLength(1);
    const failures = outcomesOf(played).filter((each) => 'failure' in each);
    for (const each of failures) {
      expect(FailedPart.safeParse(each).success).toBe(true);
      expect(each.failure).toMatchObject({ Error: 'Boom', Cause: 'why Boom' });
    }
    // Without a snapshot there is nothing to copy; everything else has its say.
    const unsaid = ['TakeSnapshot', 'AwaitBackup'].includes(name) ? ['copy'] : [];
    expect(partsOf(played).toSorted()).toEqual(everyPart.filter((part) => !unsaid.includes(part)));
  });
  it('says so in the cause of the execution', async () => {
    expect(await go({ CheckDump: () => fail('Boom') })).toMatchObject({ cause: 'failed: dump' });
  });
  it('does not hide the failure of another', async () => {
    const every = Object.fromEntries(parts.map((name) => [name, () => fail('Boom')]));
    const played = await go(every);
    expect(failedOf(played).map(String).toSorted()).toEqual(everyPart.filter((part) => part !== 'copy'));
  });
  it('fails the run also where the part says so itself', async () => {
    const bad = (): Json => ({ part: 'verification', verdict: 'failed', summary: 'no', facts: {} });
    expect((await go({ VerifyBackup: bad })).status).toBe('FAILED');
  });
  it('leaves images unknown where the export failed', async () => {
    const { payloadsOf } = await go({ ExportCluster: () => fail('Boom') });
    expect(payloadsOf('CheckConfiguration')).toEqual([expect.objectContaining({ images: null, unresolved: null })]);
  });
  it('of the report fails the execution, and the watch rings', async () => {
    expect(await go({ ReportBackup: () => fail('Boom') })).toMatchObject({ status: 'FAILED', error: 'Boom' });
  });
});

describe('where there is nothing to do', () => {
  it('it is skipped, and touches nothing, where the active database is elsewhere', async () => {
    const played = await go({ AcceptBackup: () => ({ skipped: 'it is in us-west-2' }) });
    expect(played).toMatchObject({ status: 'SUCCEEDED', states: ['AcceptBackup'] });
    expect(played.result).toEqual({ skipped: 'it is in us-west-2' });
  });
  it('it does not begin where it is refused', async () => {
    const played = await go({ AcceptBackup: () => fail('ActiveDatabaseUnknown') });
    expect(played).toMatchObject({ status: 'FAILED', error: 'ActiveDatabaseUnknown', states: ['AcceptBackup'] });
  });
});

describe('while an incident is open', () => {
  const open = (times: number) => ({
    AcceptBackup: (_: JsonObject, call: number): Json => (call <= times ? fail('BackupDeferred') : { run }),
  });
  it('it waits, and begins when it is over', async () => {
    const played = await go(open(3));
    expect(played.status).toBe('SUCCEEDED');
    expect(played.states.filter((state) => state === 'AcceptBackup')).toHaveLength(4);
  });
  it('it gives up after four hours, having touched nothing', async () => {
    const played = await go(open(1000));
    expect(played).toMatchObject({ status: 'FAILED', error: 'BackupDeferred' });
    expect(new Set(played.states)).toEqual(new Set(['AcceptBackup']));
    const [retrier] = retriersOf(tasks.find(({ name }) => name === 'AcceptBackup') as Placed);
    expect((retrier?.IntervalSeconds ?? 0) * (retrier?.MaxAttempts ?? 0)).toBe(4 * 3600);
  });
});

describe('the weekly proof', () => {
  it('starts the drill, waits for it and reports what it proved; it makes no backup', async () => {
    const played = await goProve({ AwaitProof: (_, call) => (call < 5 ? fail('ProofUnderWay') : passed('proof')()) });
    expect(played.status).toBe('SUCCEEDED');
    expect([...new Set(played.states)]).toEqual(['AcceptBackup', 'StartProof', 'AwaitProof', 'ReportBackup']);
    expect(partsOf(played)).toEqual(['proof']);
    expect(played.payloadsOf('AwaitProof')[0]?.proof).toEqual(well.StartProof?.({}, 1));
  });
  it('of a dump goes the same way', async () => {
    const played = await goProve({ AwaitProof: passed('dump-proof') }, 'prove-dump');
    expect(played.status).toBe('SUCCEEDED');
    expect([...new Set(played.states)]).toEqual(['AcceptBackup', 'StartProof', 'AwaitProof', 'ReportBackup']);
    expect(partsOf(played)).toEqual(['dump-proof']);
  });
  it.each([
    { name: 'StartProof', task: 'prove', part: 'proof' },
    { name: 'AwaitProof', task: 'prove', part: 'proof' },
    { name: 'StartProof', task: 'prove-dump', part: 'dump-proof' },
    { name: 'AwaitProof', task: 'prove-dump', part: 'dump-proof' },
  ])('fails where $name of $task fails, and says so', async ({ name, task, part }) => {
    const played = await goProve({ [name]: () => fail('Boom') }, task);
    expect(played).toMatchObject({ status: 'FAILED', error: 'BackupIncomplete' });
    expect(failedOf(played)).toEqual([part]);
  });
});

describe('waiting', () => {
  it.each([
    { state: 'AwaitBackup', error: 'SnapshotUnderWay', times: 200 },
    { state: 'AwaitCopy', error: 'SnapshotUnderWay', times: 200 },
    { state: 'CopySnapshot', error: 'CopiesInFlight', times: 20 },
    { state: 'ExportCluster', error: 'WorkloadNotReady', times: 5 },
    { state: 'AssureProtection', error: 'DatabaseNotReady', times: 20 },
  ])('$state is patient with $error', async ({ state, error, times }) => {
    const played = await go({
      [state]: (payload, call) => (call <= times ? fail(error) : (well[state]?.(payload, call) ?? {})),
    });
    expect(played.status).toBe('SUCCEEDED');
    expect(played.states.filter((each) => each === state)).toHaveLength(times + 1);
  });
  it('outlasts, as a whole, the waits of the longest way through it', () => {
    const waits = (names: readonly string[]) =>
      tasks
        .filter(({ name }) => names.includes(name))
        .flatMap(retriersOf)
        .filter(({ ErrorEquals }) => ErrorEquals.length === 1)
        .reduce((sum, { IntervalSeconds = 1, MaxAttempts = 3 }) => sum + IntervalSeconds * MaxAttempts, 0);
    const longest = Math.max(
      waits(['AcceptBackup', 'TakeSnapshot', 'AwaitBackup', 'CopySnapshot', 'AwaitCopy']),
      waits(['AcceptBackup', 'StartProof', 'AwaitProof']),
    );
    expect(definitionOf(machine).TimeoutSeconds).toBeGreaterThan(longest);
  });
  it('(control) a failure that nobody retries leads where the failure of a part leads', () => {
    const await_ = tasks.find(({ name }) => name === 'AwaitCopy') as Placed;
    expect(routeOf(await_, 'Boom')?.catcher.Next).toBe('VerifyBackup');
  });
});
