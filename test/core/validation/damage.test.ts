import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { lookForDamage } from '../../../core/database/look-for-damage.ts';
import { prepareDatabase } from '../../../core/database/prepare-database.ts';
import type { CheckName, Piece, Verdict } from '../../../core/validation/contracts.ts';
import { planValidation } from '../../../core/validation/plan-validation.ts';
import { runCheck } from '../../../core/validation/run-check.ts';
import { sealPage, secrets, settings, startDatabase, type TestDatabase } from '../../support/postgres.ts';
import { FakeBaselines, FakeDatabases, FakeLooks, FakeMetrics, FakeProfiles, makePlan } from '../database/fakes.ts';
import { FakeClock, FakeControl, FakeIncidents, makeIncident, makeRecord } from '../fakes.ts';

const incident = makeIncident();
const plan = makePlan();

describe('a restored database', () => {
  let database: TestDatabase;
  let baselines: FakeBaselines;

  const control = () => Object.assign(new FakeControl(), { active: database.active });
  const look = () =>
    lookForDamage(
      {},
      {
        settings,
        region: 'us-east-1',
        clock: new FakeClock('2026-11-22T20:00:00.000Z'),
        control: control(),
        databases: new FakeDatabases(),
        baselines,
        looks: new FakeLooks(),
        profiles: new FakeProfiles(),
        secrets,
        sessions: database.sessions,
        metrics: new FakeMetrics(),
        lookSeconds: 20,
      },
    );

  beforeAll(async () => {
    database = await startDatabase();
    await prepareDatabase({ settings, control: control(), secrets, sessions: database.sessions });
    await database.query("insert into stocker_dr.heartbeat (at, lsn, xid) values ('2026-11-22T20:14:00Z', '0/1', '5')");
    await database.query('vacuum (freeze, analyze)');
    await database.save();
  });
  beforeEach(async () => {
    baselines = new FakeBaselines();
    await look();
  });
  afterEach(() => database.reset());
  afterAll(() => database.close());

  const pieces = async (tier: 'gate' | 'deep', change = {}): Promise<Piece[]> => {
    const changed = { ...settings, validation: { ...settings.validation, ...change } };
    const input = { incident, plan, candidate: database.candidate, tier };
    const context = { clock: new FakeClock(), settings: changed, secrets, sessions: database.sessions };
    return (await planValidation(input, context)).output.pieces;
  };

  const run = async (work: Piece, change = {}, clock = new FakeClock()) => {
    const incidents = new FakeIncidents();
    await incidents.open(makeRecord());
    const context = {
      settings: { ...settings, validation: { ...settings.validation, ...change } },
      clock,
      secrets,
      sessions: database.sessions,
      baselines,
      incidents,
    };
    return { ...(await runCheck({ incident, plan, candidate: database.candidate, work }, context)), incidents };
  };

  /** Every check of both tiers; a check is failed if any of its pieces is. */
  const verdicts = async (): Promise<Partial<Record<CheckName, Verdict>>> => {
    const found: Partial<Record<CheckName, Verdict>> = {};
    for (const piece of [...(await pieces('gate')), ...(await pieces('deep'))]) {
      const { output } = await run(piece);
      if (output.verdict !== 'passed') found[piece.check] = output.verdict;
    }
    return found;
  };

  test('passes every check of both tiers when nothing is wrong', async () => {
    expect(await verdicts()).toEqual({});
  });

  const heap = 'stocker.stock_movement';
  const index = 'stocker.stock_movement_pkey';
  const cases: {
    case: string;
    relation: string;
    block: number;
    change: (page: Buffer, block: number) => void;
    fails: CheckName[];
  }[] = [
    {
      case: 'bytes of a heap page are flipped',
      relation: heap,
      block: 3,
      change: (page) => page.writeUInt32LE(~page.readUInt32LE(6000) >>> 0, 6000),
      fails: ['foreign-key', 'heap-scan', 'cross-count', 'heap-verify', 'index-verify', 'content-hash'],
    },
    {
      case: 'a line pointer and an xmin are damaged under a valid checksum',
      relation: heap,
      block: 3,
      change: (page, block) => {
        const tuple = page.readUInt32LE(24) & 0x7fff;
        page.writeUInt32LE(4_000_000_000, tuple);
        page.writeUInt16LE(page.readUInt16LE(tuple + 20) & ~0x0300, tuple + 20);
        page.writeUInt32LE(0x0001_9fff, 28);
        sealPage(page, block);
      },
      fails: ['heap-verify', 'cross-count', 'content-hash'], // its rows vanish from a scan, too
    },
    {
      case: 'the data of a tuple changes under a valid checksum',
      relation: heap,
      block: 3,
      change: (page, block) => {
        const tuple = page.readUInt32LE(24) & 0x7fff;
        page.writeUInt32LE(11, tuple + 24 + 16); // quantity, after id and product_id
        sealPage(page, block);
      },
      fails: ['content-hash'],
    },
    {
      case: 'a heap page becomes zeros',
      relation: heap,
      block: 3,
      change: (page) => page.fill(0),
      fails: ['cross-count', 'content-hash'],
    },
    {
      case: 'two keys of an index are swapped under a valid checksum',
      relation: index,
      block: 1,
      change: (page, block) => {
        const [a, b] = [page.readUInt32LE(24 + 40), page.readUInt32LE(24 + 80)];
        page.writeUInt32LE(b, 24 + 40);
        page.writeUInt32LE(a, 24 + 80);
        sealPage(page, block);
      },
      fails: ['index-verify'],
    },
  ];

  test.each(cases)('fails what finds it, and nothing else, when $case', async ({ relation, block, change, fails }) => {
    await database.damage(relation, block, (page) => change(page, block));
    const found = await verdicts();
    expect(found).toEqual(Object.fromEntries(fails.map((check) => [check, 'failed'])));
  });

  test('fails the foreign key when a row refers to nothing, although the constraint reads valid', async () => {
    await database.cluster.connect('stocker').then(async (superuser) => {
      await superuser.query('set session_replication_role = replica; delete from stocker.product where id = 7');
      await superuser.end();
    });
    expect(await verdicts()).toEqual({ 'foreign-key': 'failed' });
  });

  test('fails the sequence when it is behind its column', async () => {
    await database.query("select setval('stocker.product_id_seq', 5)");
    expect(await verdicts()).toEqual({ sequences: 'failed' });
  });

  test('fails the row floor when rows are missing, and the query when it yields another value', async () => {
    await database.query('delete from stocker.stock; update stocker.stock_movement set product_id = 1');
    await database.query('delete from stocker.product where id > 1000');
    await database.query('insert into stocker.stock values (1, -1)');
    expect(await verdicts()).toMatchObject({ 'row-floors': 'failed', query: 'failed', 'content-hash': 'failed' });
  });

  test('is unknown, never passed, where no baseline precedes the restore point', async () => {
    baselines.all.length = 0;
    const found = await verdicts();
    expect(found).toEqual({ 'schema-version': 'unknown', 'row-floors': 'unknown', 'content-hash': 'unknown' });
  });

  test('records the achieved RPO, and fails it when the newest heartbeat is too old', async () => {
    const [work] = (await pieces('gate')).filter((piece) => piece.check === 'heartbeat-freshness');
    if (!work) throw new Error('not planned');
    const fresh = await run(work);
    expect(fresh.output.verdict).toBe('passed');
    expect((await fresh.incidents.read(incident.id))?.achieved.rpoSeconds).toBe(60);
    await database.query("update stocker_dr.heartbeat set at = '2026-11-22T18:00:00Z'");
    expect((await run(work)).output.verdict).toBe('failed');
  });

  test('hands back the blocks that it did not reach, in two pieces that cover exactly those', async () => {
    const slow = { pieceSeconds: 5, scanBytesPerSecond: 8192 };
    const planned = (await pieces('gate', slow)).filter((piece) => piece.check === 'heap-scan');
    expect(planned.length).toBeGreaterThan(3);
    const [work] = planned;
    if (!work?.items[0]?.blocks) throw new Error('not planned');
    // Two seconds pass at every look at the clock: its time is over after two blocks.
    const clock = new FakeClock();
    const ticking = Object.assign(new FakeClock(), {
      now: () => {
        clock.advance(2);
        return new Date(clock.now());
      },
    });
    const { output } = await run(work, slow, ticking);
    expect(output.verdict).toBe('unknown');
    expect(output.remaining.length).toBeGreaterThan(0);
    const left = output.remaining.flatMap((piece) => piece.items);
    const last = work.items.at(-1);
    expect(left.at(-1)?.blocks?.to ?? 0).toBe(last?.blocks?.to);
    expect((await run(work, slow)).output).toMatchObject({ verdict: 'passed', remaining: [] });
  });
});
