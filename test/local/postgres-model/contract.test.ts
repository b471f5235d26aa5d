/** One contract for real PostgreSQL and the modelled one: whatever the simulation proves, it proves of both. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { liftExpiry, renewExpiry } from '../../../core/database/expiry.ts';
import { closeTo, openTo, proveRefused, proveWrite } from '../../../core/database/fence.ts';
import {
  type HeartbeatContext,
  heartbeatBefore,
  newestHeartbeat,
  newestHeartbeatIn,
  writeHeartbeat,
} from '../../../core/database/heartbeat.ts';
import { compareFacts, factsIn, postgresFactsSql } from '../../../core/database/parity.ts';
import type { Credentials } from '../../../core/database/ports.ts';
import { prepareFor } from '../../../core/database/prepare-database.ts';
import { countRows } from '../../../core/database/relations.ts';
import { isAnswered, stepTimeouts, withSession } from '../../../core/database/sql.ts';
import { openSince } from '../../../core/region/open-databases.ts';
import { recorded } from '../../../local/postgres-model/question.ts';
import type { Rows } from '../../../local/postgres-model/wire.ts';
import type { Backup, Database } from '../../../local/services/rds/engine.ts';
import { type FakeBaselines, FakeMetrics } from '../../core/database/fakes.ts';
import { FakeControl } from '../../core/fakes.ts';
import { allPassed, damages, lookerOf, verdictsOf } from './damage.ts';
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

const { name: databaseName } = settings.database;
const { region } = settings.primary;
const recordedParameters = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../local/postgres-model/parameters.json'), 'utf8'),
);

describe.each(engines)('$name', ({ open }) => {
  let subject: Subject;
  /** Seeded, prepared, with one heartbeat; nothing damages it. */
  let source: Database;
  let sound: Backup;

  beforeAll(async () => {
    subject = await open();
    const { engine, configuration } = subject;
    source = await engine.create(configuration, toMaster(master), databaseName);
    await subject.seed(source);
    await asked(source, master, (session) => prepareFor(session, databaseName, heartbeat, sentinel));
    await beat(source);
    sound = await source.backup('standalone');
  });
  afterAll(() => subject?.close());

  const toMaster = ({ username, password }: Credentials) => ({ user: username, password });
  const asked = <T>(database: Database, who: Credentials, use: Parameters<typeof withSession<T>>[3]) =>
    withSession(subject.sessions, addressOf(database), who, use);
  const logIn = async (database: Database, who: Credentials) =>
    (await subject.sessions.open(addressOf(database), who, stepTimeouts)).close();
  const restored = (backup = sound) => subject.engine.restore(subject.configuration, { backup });

  const activeAt = (database: Database) =>
    Object.assign(new FakeControl(), {
      active: { ...new FakeControl().active, ...addressOf(database), identifier: 'production', region },
    }) as FakeControl;
  const beat = async (database: Database): Promise<string> => {
    const { sessions } = subject;
    const context: HeartbeatContext = {
      ...{ settings, region, clock, secrets, sessions },
      ...{ control: activeAt(database), metrics: new FakeMetrics() },
    };
    const written = await writeHeartbeat(context);
    if (!written.written) throw new Error(written.reason);
    return written.at;
  };
  const newestIn = (database: Database) => newestHeartbeat(subject.sessions, addressOf(database), sentinel);
  const targetOf = (database: Database) => ({ identifier: 'production', ...addressOf(database) });

  const factsOf = async (database: Database) =>
    factsIn(await asked(database, sentinel, (session) => session.query(postgresFactsSql)));

  describe('as a database', () => {
    let copy: Database;
    beforeAll(async () => {
      copy = await restored();
    });
    afterAll(() => copy?.destroy());

    test('lets the master in by password, and nobody by another', async () => {
      await logIn(source, master);
      await expect(logIn(source, { ...master, password: 'another' })).rejects.toMatchObject({ code: '28P01' });
      await expect(logIn(source, { ...master, username: 'nobody' })).rejects.toMatchObject({ code: '28P01' });
    });

    test('has one version, the parameters of it, and a use that is measured', async () => {
      expect(subject.engine.version).toBe('18.4');
      expect(await subject.engine.describeParameters()).toEqual(recordedParameters);
      const connections = await asked(source, master, async () => (await source.measure()).connections);
      expect(connections).toBe(1);
    });

    test('ends sessions and refuses connections while it is stopped, and has its data again', async () => {
      const at = await beat(copy);
      const session = await subject.sessions.open(addressOf(copy), master, stepTimeouts);
      await copy.stop();
      await expect(session.query('begin')).rejects.toSatisfy((error) => !isAnswered(error));
      await session.close();
      await expect(logIn(copy, master)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await copy.start(subject.configuration);
      expect(await newestIn(copy)).toBe(at);
    });

    test('takes a new password of its master, and no longer the old one', async () => {
      await copy.setPassword({ user: master.username, password: 'a new one' });
      await logIn(copy, { ...master, password: 'a new one' });
      await expect(logIn(copy, master)).rejects.toMatchObject({ code: '28P01' });
    });

    test('crashes without calling it a failure, and recovers what was acknowledged', async () => {
      const crashing = await restored();
      const failures: string[] = [];
      crashing.onFailure(() => failures.push('failed'));
      await crashing.setPassword({ user: master.username, password: 'acknowledged' });
      await crashing.crash();
      await expect(logIn(crashing, master)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await crashing.start(subject.configuration);
      await logIn(crashing, { ...master, password: 'acknowledged' });
      expect(failures).toEqual([]);
      await crashing.destroy();
    });

    test('says when it dies, and says nothing when it is destroyed', async () => {
      const destroyed = await restored();
      const died: string[] = [];
      destroyed.onFailure(() => died.push('destroyed'));
      const failed = new Promise<void>((resolve) => copy.onFailure(resolve));
      await destroyed.destroy();
      subject.kill(copy);
      await failed;
      for (const each of [copy, destroyed])
        await expect(logIn(each, master)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      expect(died).toEqual([]);
    });
  });

  describe('restored', () => {
    const beatsIn = async (database: Database) =>
      (
        await asked(database, sentinel, async (session) => {
          const found: string[] = [];
          for (let at = await newestHeartbeatIn(session); at !== undefined; at = await heartbeatBefore(session, at))
            found.unshift(at);
          return found;
        })
      ).slice(1); // the one that `sound` was taken with

    test('from a backup that stands alone, holds what was committed before it and nothing after', async () => {
      const copy = await restored();
      const at = await beat(copy);
      const backup = await copy.backup('standalone');
      expect(backup.bytes).toBeGreaterThan(0);
      await beat(copy);
      await copy.destroy(); // a backup survives its database
      const again = await restored(backup);
      expect(await beatsIn(again)).toEqual([at]);
      await again.destroy();
    });

    test('to a time, holds exactly the rows that were committed by then', async () => {
      const { engine, configuration } = subject;
      const copy = await restored();
      const archive = await engine.createArchive();
      await copy.archiveTo(archive);
      const backup = await copy.backup('archived');
      const beats: string[] = [];
      for (let count = 0; count < 3; count++) beats.push(await beat(copy));
      const time = await copy.mark();
      beats.push(await beat(copy));
      await copy.mark();
      await copy.destroy(); // and so does an archive
      const beatsAt = async (target: string) => {
        const found = await engine.restore(configuration, { backup, archive, time: target });
        return beatsIn(found).finally(() => found.destroy());
      };
      expect(await beatsAt(time)).toEqual(beats.slice(0, 3));
      // A row is written before it is committed, and a recovery counts the commit.
      expect(await beatsAt(beats[1] ?? '')).toEqual(beats.slice(0, 1));
      await expect(beatsAt('2199-01-01T00:00:00Z')).rejects.toMatchObject({ sqlState: 'F0000' });
    });

    test('has the facts of its source, and others as soon as it differs', async () => {
      const copy = await restored();
      const comparison = { settings, mode: 'recovery' } as const;
      const differences = async () =>
        compareFacts(await factsOf(source), await factsOf(copy), comparison).filter(({ expected }) => !expected);
      expect(await differences()).toEqual([]);
      await asked(copy, master, (session) => session.query(`alter role "${heartbeat.username}" nologin`));
      expect(await differences()).toMatchObject([{ setting: `role ${heartbeat.username} login`, candidate: 'no' }]);
      await copy.destroy();
    });
  });

  test('is fenced, proven, and stays so in a copy of its own until that is opened', async () => {
    const { sessions } = subject;
    const fenced = await restored();
    const target = targetOf(fenced);
    expect(await proveWrite(sessions, target, application)).toMatch(/^\d+$/);
    await expect(proveRefused(sessions, target, application)).rejects.toMatchObject({ name: 'FenceFailed' });
    const writer = await sessions.open(target, application, stepTimeouts);
    const closed = await asked(fenced, master, (session) =>
      closeTo({ session, sessions, target, master }, [application], settings, {
        prepared: 'refuse',
        setPasswords: true,
      }),
    );
    expect(closed).toEqual({
      sessionsEnded: 1,
      rolledBack: 0,
      prepared: [],
      subscriptions: [],
      jobsPaused: 0,
      administrators: [],
    });
    await expect(writer.query('begin')).rejects.toThrow();
    await writer.close();
    await proveRefused(sessions, target, application);
    await expect(logIn(fenced, { ...application, password: 'another' })).rejects.toMatchObject({ code: '28P01' });
    const copy = await restored(await fenced.backup('standalone'));
    const other = targetOf(copy);
    await proveRefused(sessions, other, application);
    await asked(copy, master, (session) =>
      openTo({ session, sessions, target: other, master }, [application.username], {
        resumeJobs: true,
        expiry: undefined,
      }),
    );
    expect(await proveWrite(sessions, other, application)).toMatch(/^\d+$/);
    await proveRefused(sessions, target, application);
    await Promise.all([fenced, copy].map((each) => each.destroy()));
  });

  test('admits nobody by a password whose date has passed, in a copy neither, until that is fenced and opened', async () => {
    const { sessions } = subject;
    const roles = [application.username];
    const dated = await restored();
    const renew = (expiry: string) => asked(dated, master, (session) => renewExpiry(session, roles, expiry));
    const openness = (database: Database) => asked(database, master, (session) => openSince(session, roles));
    await renew('2199-01-01T00:00:00.000033Z');
    await logIn(dated, application);
    const writer = await sessions.open(targetOf(dated), application, stepTimeouts);
    await renew('2020-01-01T00:00:00.000033Z');
    await expect(logIn(dated, application)).rejects.toMatchObject({ code: '28P01' });
    await writer.query('begin'); // a session goes on
    await writer.close();
    expect(await openness(dated)).toMatchObject({ hasExpired: true });

    const copy = await restored(await dated.backup('standalone'));
    const target = targetOf(copy);
    await expect(logIn(copy, application)).rejects.toMatchObject({ code: '28P01' });
    expect(await openness(copy)).toMatchObject({ hasExpired: true });
    await asked(copy, master, (session) =>
      closeTo({ session, sessions, target, master }, [application], settings, {
        prepared: 'refuse',
        setPasswords: true,
      }),
    );
    await proveRefused(sessions, target, application);
    expect(await openness(copy)).toBeUndefined();
    await asked(copy, master, async (session) => {
      await renewExpiry(session, roles, '2020-01-01T00:00:00.000033Z'); // nothing: it is fenced
      await openTo({ session, sessions, target, master }, roles, { resumeJobs: true, expiry: undefined });
    });
    expect(await proveWrite(sessions, target, application)).toMatch(/^\d+$/);
    expect(await openness(copy)).toMatchObject({ hasExpired: false });

    await asked(copy, master, (session) =>
      session.query(`alter role "${application.username}" valid until '2199-01-01'`),
    );
    const theirs = asked(copy, master, (session) => renewExpiry(session, roles, '2020-01-01T00:00:00.000033Z'));
    await expect(theirs).rejects.toMatchObject({ name: 'RoleUnusable' });
    await asked(copy, master, (session) => liftExpiry(session, roles));
    await logIn(copy, application); // and left as it was
    await Promise.all([dated, copy].map((each) => each.destroy()));
  });

  test('keeps its heartbeats in order, and says which was before a moment', async () => {
    const [first, second] = [await beat(source), await beat(source)];
    expect(first < second).toBe(true);
    expect(await newestIn(source)).toBe(second);
    await asked(source, sentinel, async (session) => {
      expect(await heartbeatBefore(session, second)).toBe(first);
    });
    await asked(source, master, (session) => prepareFor(session, databaseName, heartbeat, sentinel)); // harmlessly
    expect(await newestIn(source)).toBe(second);
  });

  describe('looked at and validated', () => {
    const looker = (database: Database) => lookerOf(subject.sessions, activeAt(database));
    const verdicts = (database: Database, baselines: FakeBaselines) =>
      verdictsOf(subject.sessions, addressOf(database), baselines);

    test('is sound, and passes every check', async () => {
      const { look, baselines } = looker(source);
      expect(await look()).toEqual({ verdict: 'sound', damage: [], unknown: [] });
      expect(await look()).toEqual({ verdict: 'sound', damage: [], unknown: [] });
      expect(await verdicts(source, baselines)).toEqual(allPassed);
    });

    test.each(damages)(
      'shows $case in the next look and in the checks that find it, and nothing else',
      async (each) => {
        const copy = await restored();
        const { look, baselines } = looker(copy);
        await look();
        await subject.strike(copy, each.damage);
        const { verdict, damage, unknown } = await look();
        expect({ verdict, unknown }).toEqual({ verdict: 'damaged', unknown: [] });
        // Without where the page is, and since when.
        expect(damage.map((found) => found.replace(/ (in block|since) .*/, ''))).toEqual(each.found);
        const failed = Object.fromEntries(each.fails.map((check) => [check, 'failed']));
        expect(await verdicts(copy, baselines)).toEqual({ ...allPassed, ...failed });
        await copy.destroy();
      },
    );
  });

  test('answers what was recorded of PostgreSQL', async () => {
    const { statements, rows } = recorded();
    const sizes = new Set(['bytes', 'blocks', 'count_index_bytes', 'table_bytes']);
    const comparable = (answer: Rows) =>
      answer
        .filter(({ setting }) => !/^parameter (port|.*_(file|directories|path))$/.test(setting ?? ''))
        .map((row) => JSON.stringify(Object.entries(row).filter(([column]) => !sizes.has(column))))
        .sort();
    await asked(source, master, async (session) => {
      for (const [sql, known] of Object.entries(statements))
        expect(comparable(await session.query(sql)), sql).toEqual(comparable(known));
      for (const [table, count] of Object.entries(rows))
        expect(await countRows(session, table), table).toBe(String(count));
    });
  });
});
