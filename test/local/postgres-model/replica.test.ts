/** One contract for replicas of real PostgreSQL and of the modelled one, in the statements by which the product knows them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeTo, proveRefused, proveWrite } from '../../../core/database/fence.ts';
import { newestHeartbeatIn, writeHeartbeat } from '../../../core/database/heartbeat.ts';
import type { Credentials } from '../../../core/database/ports.ts';
import { prepareFor } from '../../../core/database/prepare-database.ts';
import { withSession } from '../../../core/database/sql.ts';
import { openSince } from '../../../core/region/open-databases.ts';
import { writtenSince } from '../../../core/region/written-since.ts';
import { openModelledEngine } from '../../../local/postgres-model/engine.ts';
import type { ModelledServer } from '../../../local/postgres-model/server.ts';
import type { Configuration, Database, DatabaseEngine } from '../../../local/services/rds/engine.ts';
import { VirtualClock } from '../../../local/virtual/clock.ts';
import { VirtualNetwork } from '../../../local/virtual/network.ts';
import { FakeMetrics } from '../../core/database/fakes.ts';
import { FakeControl } from '../../core/fakes.ts';
import {
  addressOf,
  application,
  clock,
  engines,
  heartbeat,
  master,
  type Subject,
  secrets,
  sentinel,
  settings,
} from './engines.ts';

type Replicating = DatabaseEngine & Required<Pick<DatabaseEngine, 'replicate'>>;

describe.each(engines)('a replica of $name', ({ open }) => {
  let subject: Subject;
  let engine: Replicating;
  let configuration: Configuration;
  let source: Database;
  let replica: Database;

  beforeAll(async () => {
    subject = await open();
    engine = subject.engine as Replicating;
    configuration = { ...subject.configuration, parameters: { track_commit_timestamp: '1' } };
    const { username: user, password } = master;
    source = await engine.create(configuration, { user, password }, settings.database.name);
    await subject.seed(source);
    await ask(source, master, (session) => prepareFor(session, settings.database.name, heartbeat, sentinel));
    replica = await engine.replicate(configuration, source);
  });
  afterAll(() => subject?.close());

  const ask = <T>(database: Database, who: Credentials, use: Parameters<typeof withSession<T>>[3]) =>
    withSession(subject.sessions, addressOf(database), who, use);
  const one = (database: Database, sql: string, parameters?: readonly string[]) =>
    ask(database, master, async (session) => (await session.query(sql, parameters))[0]);

  async function beat(database: Database): Promise<string> {
    const control = Object.assign(new FakeControl(), {
      active: { ...new FakeControl().active, ...addressOf(database), identifier: 'production', region: 'us-east-1' },
    }) as FakeControl;
    const { sessions } = subject;
    const context = { settings, region: 'us-east-1', clock, secrets, sessions, control, metrics: new FakeMetrics() };
    const written = await writeHeartbeat(context);
    if (!written.written) throw new Error(written.reason);
    return written.at;
  }
  const newestIn = (database: Database) => ask(database, sentinel, newestHeartbeatIn);
  const arrives = (at: string, at_: Database) => expect.poll(() => newestIn(at_)).toBe(at);
  const isStreaming = async (database: Database) => (await database.measure()).following?.streaming;
  const recovering = async (database: Database) =>
    (await one(database, 'select pg_is_in_recovery() as recovering'))?.recovering;

  test('replays what its source commits, to the position that the source has written', async () => {
    expect(await recovering(replica)).toBe('t');
    await arrives(await beat(source), replica);
    const written = await one(source, 'select pg_current_wal_flush_lsn()::text as lsn');
    const behind = async () =>
      Number(
        (
          await one(
            replica,
            'select pg_last_wal_replay_lsn()::text as lsn, pg_wal_lsn_diff($1, pg_last_wal_replay_lsn())::bigint as bytes',
            [written?.lsn ?? ''],
          )
        )?.bytes,
      );
    await expect.poll(behind).toBeLessThanOrEqual(0);
    expect((await replica.measure()).following).toEqual({ streaming: true, lagSeconds: expect.any(Number) });
    expect((await source.measure()).following).toBeUndefined();
  });

  test('takes no writes of its own', async () => {
    await expect(beat(replica)).rejects.toMatchObject({
      cause: { code: expect.stringMatching(/^(25006|55000|XX000)$/) },
    });
    await expect(one(replica, `alter role "${application.username}" nologin`)).rejects.toMatchObject({ code: '25006' });
    await expect(one(replica, 'select pg_current_wal_flush_lsn()::text as lsn')).rejects.toMatchObject({
      code: '55000',
    });
  });

  test('stands still while the way is cut, and makes up for it', async () => {
    const before = await beat(source);
    await arrives(before, replica);
    await replica.cut?.(true, configuration);
    await expect.poll(() => isStreaming(replica)).toBe(false);
    const at = await beat(source);
    expect(await newestIn(replica)).toBe(before);
    await replica.cut?.(false, configuration);
    await arrives(at, replica);
    expect(await isStreaming(replica)).toBe(true);
  });

  test('answers with what it has while its source is away, and follows again when that returns', async () => {
    const before = await beat(source);
    await arrives(before, replica);
    await source.crash();
    expect(await newestIn(replica)).toBe(before);
    await expect.poll(() => isStreaming(replica)).toBe(false);
    await source.start(configuration);
    await arrives(await beat(source), replica);
  });

  test('has replicas of its own', async () => {
    const copy = await engine.replicate(configuration, replica);
    await arrives(await beat(source), copy);
    expect(await recovering(copy)).toBe('t');
    await copy.promote?.();
    expect(await recovering(copy)).toBe('f');
    await arrives(await beat(source), replica);
    await copy.destroy();
  });

  test('promoted, is as fenced as its source was, takes writes, and is followed home', async () => {
    const { sessions } = subject;
    const home = { identifier: 'home', ...addressOf(source) };
    await ask(source, master, (session) =>
      closeTo({ session, sessions, target: home, master }, [application], settings, {
        prepared: 'refuse',
        setPasswords: false,
      }),
    );
    const last = await beat(source);
    await arrives(last, replica);
    const took = await one(
      source,
      'select to_char(clock_timestamp() at time zone \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\') as begun',
    );
    await replica.promote?.();
    expect(await recovering(replica)).toBe('f');
    expect((await replica.measure()).following).toBeUndefined();
    await proveRefused(sessions, { identifier: 'promoted', ...addressOf(replica) }, application);
    await one(replica, `alter role "${application.username}" login`);
    expect(await proveWrite(sessions, { identifier: 'promoted', ...addressOf(replica) }, application)).toMatch(/^\d+$/);
    // Neither hears of the other any more.
    await beat(source);
    expect(await newestIn(replica)).toBe(last);
    const next = await engine.replicate(configuration, replica);
    await arrives(await beat(replica), next);
    // What the one that was left took since is told by the time of the commit.
    await one(source, `alter role "${application.username}" login`);
    await subject.write(source);
    const { counts, lines, unread } = await ask(source, master, (session) =>
      writtenSince(session, took?.begun ?? '', () => false),
    );
    expect(unread).toEqual([]);
    expect(counts).toEqual({ 'stocker.stock_movement': 1 });
    expect(lines).toHaveLength(1);
    const since = await ask(source, master, (session) => openSince(session, [application.username]));
    expect(since).toEqual({ since: expect.stringMatching(/^\d{4}-.*Z$/), hasExpired: false });
  });
});

test('what a modelled source had not sent when it died is the source’s alone, and a promotion takes its time', async () => {
  const servers: ModelledServer[] = [];
  const time = new VirtualClock(Date.UTC(2027, 0, 1));
  const model = openModelledEngine({
    clock: time,
    network: new VirtualNetwork(),
    durations: (operation) => (operation === 'promote' ? 240_000 : 1),
    lagMs: () => 30_000,
    onServer: (server) => servers.push(server),
  }) as Replicating;
  const configuration = { certificate: { key: '', certificate: '' }, parameters: {}, requireTls: true };
  const made = await time.run(model.create(configuration, { user: 'master', password: 'secret' }, 'stocker'), 60_000);
  const copy = await time.run(model.replicate(configuration, made), 60_000);
  const [source, replica] = servers as [ModelledServer, ModelledServer];
  source.write('master', 'secret', 1);
  await time.pass(31_000);
  source.write('master', 'secret', 2);
  const quantities = () => replica.content.movements.map(({ quantity }) => quantity);
  await time.run(made.crash(), 60_000);
  await time.pass(60_000);
  expect(quantities()).toEqual([1]);
  const promoted = copy.promote?.();
  await time.pass(200_000);
  expect(() => replica.write('master', 'secret', 3)).toThrow(/read-only/);
  await time.run(promoted as Promise<void>, 60_000);
  replica.write('master', 'secret', 3);
  // What returns too late tells it nothing.
  await time.run(made.start(configuration), 60_000);
  await time.pass(60_000);
  expect(quantities()).toEqual([1, 3]);
  expect(source.content.movements.map(({ quantity }) => quantity)).toEqual([1, 2]);
});
