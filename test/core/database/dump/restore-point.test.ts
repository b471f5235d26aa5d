/** A dump as a restore point: asked for, planned, and the empty instance made that it is loaded into. */
import { describe, expect, it, test } from 'vitest';
import { momentOfDump } from '../../../../core/database/dump/names.ts';
import { compareFacts } from '../../../../core/database/parity.ts';
import { planRestore } from '../../../../core/database/plan.ts';
import { recoveryCandidate } from '../../../../core/database/plan-recovery.ts';
import { restoreDatabase } from '../../../../core/database/restore-database.ts';
import { acceptRequest } from '../../../../core/incident/accept-request.ts';
import {
  activeDatabase,
  FakeCatalogue,
  FakeClock,
  FakeControl,
  FakeDumps,
  FakeExecutions,
  FakeIncidents,
  makeIncident,
  makeInstance,
  openedAt,
  settings,
} from '../../fakes.ts';
import { FakeDatabases, makePlan, restoring } from '../fakes.ts';

const name = 'stocker-db-20261122-020000.sql.gz';
const at = '2026-11-22T02:00:00Z';
const file = { name, location: `s3://dumps/backups/${name}`, bytes: 7 };

describe('the name of a dump', () => {
  it.each([
    { case: 'the plan’s', given: name, moment: at },
    { case: 'another database’s', given: 'orders.v2-20260228-235959.sql.gz', moment: '2026-02-28T23:59:59Z' },
    { case: 'a day that is none', given: 'stocker-db-20260229-020000.sql.gz', moment: undefined },
    { case: 'a folder', given: `backups/${name}`, moment: undefined },
    { case: 'no time', given: 'stocker-db.sql.gz', moment: undefined },
    { case: 'another format', given: 'stocker-db-20261122-020000.dump', moment: undefined },
  ])('tells its restore point: $case', ({ given, moment }) => {
    expect(momentOfDump(given)).toBe(moment);
  });
});

describe('a request for a dump', () => {
  const accept = (dump: string, bytes?: Uint8Array) => {
    const dumps = new FakeDumps();
    if (bytes) dumps.files.set(dump, bytes);
    const context = {
      ...{ settings, here: settings.primary, clock: new FakeClock(), control: new FakeControl(), dumps },
      ...{ executions: new FakeExecutions(), incidents: new FakeIncidents(), databases: new FakeCatalogue() },
      alarms: { ringing: async () => [] },
    };
    const execution = { arn: 'arn:aws:states:us-east-1:111122223333:execution:x:y', startedAt: openedAt };
    return acceptRequest({ request: { reason: 'test', restoreTo: { dump } }, execution }, context);
  };
  it('is accepted where the dump is there', async () => {
    expect((await accept(name, new Uint8Array(1))).incident.restoreTo).toEqual({ dump: name });
  });
  it.each([
    { case: 'a name that tells no time', given: 'latest.sql.gz', says: 'does not end in the UTC time of a dump' },
    { case: 'a time to come', given: 'stocker-db-20991122-020000.sql.gz', says: 'does not end in the UTC time' },
    { case: 'no such dump', given: name, says: 'names no dump in this Region' },
    { case: 'an empty one', given: name, bytes: new Uint8Array(), says: 'is empty' },
  ])('is refused, naming the field: $case', async ({ given, bytes, says }) => {
    await expect(accept(given, bytes)).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: expect.stringMatching(new RegExp(`^restoreTo\\.dump = "${given}" ${says}`)),
    });
  });
});

describe('the plan', () => {
  const facts = {
    ...{ settings, active: activeDatabase, source: makeInstance(), snapshot: undefined, newestHeartbeat: undefined },
    incident: makeIncident({ restoreTo: { dump: name } }),
    // A dump needs no automated backups.
    window: undefined,
    now: '2026-11-22T20:00:00.000Z',
  };
  test('restores to the begin of the dump, and counts what came after it as lost', () => {
    expect(planRestore({ ...facts, dump: file })).toMatchObject({
      plan: { restore: { kind: 'dump', dump: name }, restorePoint: at, estimatedLossSeconds: 18 * 3600 },
    });
  });
  test.each([
    { case: 'is gone', dump: undefined, says: `there is no dump ${name}` },
    { case: 'is empty', dump: { ...file, bytes: 0 }, says: `${file.location} is empty` },
  ])('is refused where the dump $case', ({ dump, says }) => {
    expect(planRestore({ ...facts, dump })).toEqual({ refused: says });
  });
  test('of a recovery names another candidate for another dump', () => {
    const named = (dump: string) =>
      recoveryCandidate(settings, 'recovery-1', { restore: { kind: 'dump', dump }, restorePoint: at });
    expect(named(name)).toBe(named(name));
    expect(named(name)).not.toBe(named('other-20261122-020000.sql.gz'));
  });
});

test('the instance for a dump is empty, like its source, and known by its master’s current secret', async () => {
  const databases = new FakeDatabases();
  const master = { username: 'stocker', password: 'current secret' };
  const secrets = {
    credentials: async (secret: string) =>
      secret === settings.database.masterSecretName ? master : { username: '', password: '' },
  };
  const plan = makePlan({ restore: { kind: 'dump', dump: name }, restorePoint: at });
  const incident = makeIncident();
  await restoreDatabase({ incident, plan }, { ...restoring(), settings, here: settings.primary, databases, secrets });
  const { engine, engineVersion, settings: like } = makeInstance();
  expect(databases.restored).toMatchObject([
    {
      targetIdentifier: plan.candidate,
      from: { kind: 'nothing', engine, engineVersion, databaseName: settings.database.name, master },
      like: { settings: like },
      securityGroupIds: ['sg-isolated'],
      tags: { 'stocker-dr:incident': incident.id },
    },
  ]);
});

describe('parity with a database that was filled from a dump', () => {
  const compare = (fromDump: boolean) =>
    compareFacts(
      { 'role reporting attributes': 'limit 5', 'instance storageType': 'gp3' },
      { 'role reporting attributes': 'limit -1', 'instance storageType': 'io1' },
      { settings, mode: 'recovery', fromDump },
    ).map(({ setting, expected }) => [setting, expected !== undefined]);
  it('expects what a dump does not hold to differ, and nothing else', () => {
    expect(compare(true)).toEqual([
      ['instance storageType', false],
      ['role reporting attributes', true],
    ]);
  });
  it('(control) expects neither of any other copy', () => {
    expect(compare(false).map(([, expected]) => expected)).toEqual([false, false]);
  });
});
