import { describe, expect, test } from 'vitest';
import { missingFromRollout } from '../../../core/database/await-workload.ts';
import { compareFacts } from '../../../core/database/parity.ts';
import { planRestore } from '../../../core/database/plan.ts';
import { awaitAvailable, restoreDatabase } from '../../../core/database/restore-database.ts';
import { scramVerifier } from '../../../core/database/scram.ts';
import { quoteIdentifier, quoteLiteral } from '../../../core/database/sql.ts';
import { awaitTornDown, tearDown } from '../../../core/database/tear-down.ts';
import {
  activeDatabase,
  FakeClock,
  FakeControl,
  makeIncident,
  makeInstance,
  makeLease,
  makeSnapshot,
  settings,
} from '../fakes.ts';
import { candidateName, FakeDatabases, FakeParameters, makePlan, restoring } from './fakes.ts';

const incident = makeIncident();
const window = { earliest: '2026-11-01T00:00:00.000Z', latest: '2026-11-22T20:10:00.000Z' };

describe('the restore plan', () => {
  const facts = {
    settings,
    incident,
    active: activeDatabase,
    source: makeInstance(),
    window,
    snapshot: undefined,
    dump: undefined,
    newestHeartbeat: undefined,
    now: '2026-11-22T20:15:00.000Z',
  };

  test('restores to the end of the window, and counts the loss until now', () => {
    expect(planRestore(facts)).toMatchObject({
      plan: {
        candidate: candidateName,
        restorePoint: window.latest,
        restore: { at: 'latest' },
        estimatedLossSeconds: 300,
      },
    });
  });

  test('counts the loss until the next heartbeat was due when the source stopped writing', () => {
    const plan = planRestore({ ...facts, newestHeartbeat: '2026-11-22T20:11:00.000000Z' });
    expect(plan).toMatchObject({ plan: { estimatedLossSeconds: 120 } });
  });

  test.each([
    { case: 'before the window', restoreTo: '2026-10-01T00:00:00Z' },
    { case: 'at its end, which RDS refuses', restoreTo: window.latest },
    { case: 'after it', restoreTo: '2026-11-22T20:12:00Z' },
    { case: 'a snapshot that does not exist', restoreTo: { snapshot: 'none' } },
  ])('refuses a restore point $case', ({ restoreTo }) => {
    expect(planRestore({ ...facts, incident: makeIncident({ restoreTo }) })).toHaveProperty('refused');
  });

  test('takes a snapshot of the source and refuses one of another instance', () => {
    const asked = makeIncident({ restoreTo: { snapshot: 'daily' } });
    const own = makeSnapshot({
      instanceResourceId: 'db-PRODUCTION',
      status: 'available',
      createdAt: '2026-11-22T02:00:00.000Z',
    });
    expect(planRestore({ ...facts, incident: asked, snapshot: own })).toMatchObject({
      plan: { restore: { kind: 'snapshot', snapshot: 'daily' }, restorePoint: '2026-11-22T02:00:00.000Z' },
    });
    const foreign = makeSnapshot({ ...own, instanceResourceId: 'db-OTHER' });
    expect(planRestore({ ...facts, incident: asked, snapshot: foreign })).toHaveProperty('refused');
  });
});

describe('a restore', () => {
  const secrets = { credentials: async (name: string) => ({ username: 'stocker', password: `${name} secret` }) };
  const plan = makePlan();
  const context = (databases: FakeDatabases) => ({
    ...restoring(),
    ...{ settings, here: settings.primary, databases, secrets },
  });
  test('leaves nothing to the defaults of RDS, and isolates the copy', async () => {
    const databases = new FakeDatabases();
    const result = await restoreDatabase({ incident, plan }, context(databases));
    expect(result.output.outcome).toBe('started');
    expect(databases.restored[0]).toMatchObject({
      subnetGroup: 'stocker-database',
      parameterGroup: 'stocker-postgres',
      securityGroupIds: ['sg-isolated'],
      tags: { 'stocker-dr:incident': incident.id },
    });
  });

  test.each([
    { case: 'adopts what this incident made', owner: incident.id, outcome: 'adopted' },
    { case: 'refuses what another incident made', owner: 'drill-other', outcome: 'CandidateNotOurs' },
    { case: 'refuses what nobody’s incident made', owner: undefined, outcome: 'CandidateNotOurs' },
  ])('$case', async ({ owner, outcome }) => {
    const tags: Record<string, string> = owner === undefined ? {} : { 'stocker-dr:incident': owner };
    const databases = new FakeDatabases(makeInstance({ identifier: candidateName, tags }));
    const restored = restoreDatabase({ incident, plan }, context(databases));
    const ended = await restored.then(
      (result) => result.output.outcome,
      (error: Error) => error.name,
    );
    expect(ended).toBe(outcome);
  });

  test.each([
    { status: 'creating', name: 'DatabaseNotReady' },
    { status: 'incompatible-network', name: 'RestoreFailed' },
    { status: 'storage-full', name: 'RestoreFailed' },
  ])('that is $status is $name', async ({ status, name }) => {
    const databases = new FakeDatabases(makeInstance({ identifier: candidateName, status }));
    const waiting = awaitAvailable({ incident, plan }, { settings, clock: new FakeClock(), databases });
    await expect(waiting).rejects.toMatchObject({ name });
  });

  test('whose storage is optimized is not waited for: that takes hours', async () => {
    const databases = new FakeDatabases(makeInstance({ identifier: candidateName, status: 'storage-optimization' }));
    const waiting = awaitAvailable({ incident, plan }, { settings, clock: new FakeClock(), databases });
    await expect(waiting).resolves.toMatchObject({ output: { identifier: candidateName } });
  });

  test.each([
    {
      case: 'what RDS tells of it',
      told: ['Storage is full.', 'It stopped.'],
      says: 'RDS says: Storage is full. It stopped.',
    },
    { case: 'that RDS tells nothing', told: [], says: 'RDS tells no reason in its events.' },
    { case: 'that RDS cannot be asked', told: undefined, says: 'Its events could not be read: throttled' },
  ])('that RDS gave up is named with $case', async ({ told, says }) => {
    const databases = new FakeDatabases(makeInstance({ identifier: candidateName, status: 'storage-full' }));
    databases.failures = async () => told ?? Promise.reject(new Error('throttled'));
    const waiting = awaitAvailable({ incident, plan }, { settings, clock: new FakeClock(), databases });
    await expect(waiting).rejects.toThrow(`${candidateName} is storage-full. ${says}`);
  });
});

describe('tear-down', () => {
  const copy = (change: Parameters<typeof makeInstance>[0] = {}) =>
    makeInstance({
      identifier: candidateName,
      resourceId: 'db-COPY',
      tags: { 'stocker-dr:incident': incident.id },
      ...change,
    });
  const run = async (databases: FakeDatabases, control = new FakeControl()) => {
    const parameters = new FakeParameters();
    await tearDown({ incident }, { settings, control, databases, parameters });
    return parameters;
  };

  test('deletes exactly the copy and takes its endpoint back', async () => {
    const databases = new FakeDatabases(copy());
    const parameters = await run(databases);
    expect(databases.deleted).toEqual([candidateName]);
    expect(parameters.values.get('/stocker/canary/database')).toBe('none');
  });

  test('leaves the endpoint to the drill that holds the lease now', async () => {
    const control = new FakeControl();
    control.lease = makeLease({ incidentId: 'drill-next' });
    const parameters = await run(new FakeDatabases(copy()), control);
    expect(parameters.values.size).toBe(0);
  });

  test('finds nothing to do when nothing was made', async () => {
    await expect(run(new FakeDatabases())).resolves.toBeDefined();
  });

  test.each([
    { case: 'has the tag of another incident', change: { tags: { 'stocker-dr:incident': 'drill-other' } } },
    { case: 'has no tag', change: { tags: {} } },
    { case: 'is production under a new name', change: { resourceId: 'db-PRODUCTION' } },
  ] as { case: string; change: Parameters<typeof makeInstance>[0] }[])(
    'deletes nothing that $case',
    async ({ change }) => {
      const databases = new FakeDatabases(copy(change));
      await expect(run(databases)).rejects.toMatchObject({ name: 'DeletionRefused' });
      expect(databases.deleted).toEqual([]);
    },
  );

  test('is over only when the automated backups are gone, too', async () => {
    const databases = new FakeDatabases();
    databases.backups.add(candidateName);
    await expect(awaitTornDown({ incident }, { settings, databases })).rejects.toMatchObject({ name: 'StillDeleting' });
    databases.backups.clear();
    await expect(awaitTornDown({ incident }, { settings, databases })).resolves.toBeDefined();
  });
});

describe('parity', () => {
  test.each([
    { setting: 'instance multiAz', expected: true },
    { setting: 'parameter data_directory', expected: true },
    { setting: 'instance encrypted', expected: false },
    { setting: 'parameter work_mem', expected: false },
    { setting: 'role stocker_app attributes', expected: false },
  ])('$setting may differ in a drill: $expected', ({ setting, expected }) => {
    const [difference] = compareFacts({ [setting]: 'a' }, { [setting]: 'b' }, { settings, mode: 'drill' });
    expect(difference?.expected !== undefined).toBe(expected);
  });

  test('never expects an application role to be open where its source is fenced', () => {
    const role = 'role stocker_app login';
    expect(compareFacts({ [role]: 'no' }, { [role]: 'yes' }, { settings, mode: 'drill' })[0]?.expected).toBeUndefined();
  });
});

describe('a rollout', () => {
  const done = { generation: 2, observedGeneration: 2, desired: 2, total: 2, updated: 2, available: 2 };
  test('is complete when every pod is new and available', () => expect(missingFromRollout(done)).toBeUndefined());
  test.each([
    { case: 'the restart is not observed', change: { observedGeneration: 1 } },
    { case: 'an old pod still serves', change: { total: 3 } },
    { case: 'a new pod is not available', change: { available: 1 } },
    { case: 'nothing is to run', change: { desired: 0, total: 0, updated: 0, available: 0 } },
  ])('is not complete when $case', ({ change }) => {
    expect(missingFromRollout({ ...done, ...change })).toEqual(expect.any(String));
  });
});

describe('SQL text', () => {
  test('quotes whatever a name or a text holds', () => {
    expect(quoteIdentifier('a"; drop table x; --')).toBe('"a""; drop table x; --"');
    expect(quoteLiteral("it's \\ here")).toBe("E'it''s \\\\ here'");
  });

  test('holds a SCRAM verifier and never the password', () => {
    const verifier = scramVerifier('correct horse', Buffer.alloc(16, 1));
    expect(verifier).toMatch(/^SCRAM-SHA-256\$4096:AQEBAQEBAQEBAQEBAQEBAQ==\$[\w+/=]{44}:[\w+/=]{44}$/);
    expect(verifier).not.toContain('correct');
  });
});
