import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { RecoveryError } from '../../../../core/errors.ts';
import { type Pair, startPairs } from './pair.ts';

let pairs: Awaited<ReturnType<typeof startPairs>>;
let pair: Pair;

beforeAll(async () => {
  pairs = await startPairs();
});
afterAll(() => pairs.close());
beforeEach(async () => {
  pair = await pairs.pair();
});

/** The error of a repair that must not succeed. */
async function refusal(repairing: Promise<unknown>): Promise<RecoveryError> {
  const error = await repairing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RecoveryError);
  return error as RecoveryError;
}

/** Rows of a table, as a hash: the same rows, the same hash. */
const content = (table: string) => `select count(*) as rows, sum(hashtextextended(t::text, 0)) as hash from ${table} t`;
const prices = 'stocker."price list"';

/** Everything the catalogue says of the schema, in the words of PostgreSQL. */
const catalogue = `
  select c.oid::regclass::text as name, relkind, relacl::text, reloptions::text, relreplident, obj_description(c.oid, 'pg_class') as comment,
    pg_get_userbyid(relowner) as owner, case when relkind in ('v', 'm') then pg_get_viewdef(c.oid) end as view,
    (select json_agg(json_build_array(attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attstorage,
        attacl::text, attcollation::regcollation, pg_get_expr(adbin, adrelid), col_description(c.oid, attnum)) order by attnum)
      from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum where attrelid = c.oid and attnum > 0 and not attisdropped) as columns,
    (select json_agg(json_build_array(conname, pg_get_constraintdef(k.oid)) order by conname) from pg_constraint k where conrelid = c.oid) as constraints,
    (select json_agg(pg_get_indexdef(indexrelid) order by indexrelid::regclass::text) from pg_index where indrelid = c.oid) as indexes,
    (select json_agg(json_build_array(pg_get_triggerdef(t.oid), tgenabled) order by tgname) from pg_trigger t where tgrelid = c.oid and not tgisinternal) as triggers,
    (select json_agg(pg_get_statisticsobjdef(s.oid)) from pg_statistic_ext s where stxrelid = c.oid) as statistics,
    (select json_build_array(seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcycle) from pg_sequence where seqrelid = c.oid) as sequence,
    (select json_agg(pg_describe_object(refclassid, refobjid, refobjsubid) || deptype::text) from pg_depend where classid = 'pg_class'::regclass
      and objid = c.oid and relkind = 'S' and deptype in ('a', 'i')) as owned
  from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = 'stocker' order by 1`;

describe('a table that was dropped, with all that CASCADE took', () => {
  beforeEach(() => pair.live(`drop table ${prices} cascade`));

  test('is what it was: rows, columns, constraints, indexes, triggers, grants, comments, foreign keys and views', async () => {
    const was = { catalogue: await pair.copy(catalogue), rows: await pair.copy(content(prices)) };
    // (control) the catalogue tells that it is gone
    expect(await pair.live(catalogue)).not.toEqual(was.catalogue);
    const { output, facts } = await pair.repair([prices]);
    expect({ catalogue: await pair.live(catalogue), rows: await pair.live(content(prices)) }).toEqual(was);
    expect(output).toMatchObject({ identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION' });
    expect(facts).toMatchObject({
      repair: {
        tables: [{ table: prices, recreated: true, putBack: 500, changed: 0, kept: 0 }],
        dependants: expect.arrayContaining([
          {
            dependant: `stocker.discount to ${prices} by discount_price_id_fkey`,
            finding: 'made anew; every row finds its parent',
          },
          { dependant: 'stocker.cheapest', finding: 'made anew: it went with the table' },
        ]),
      },
    });
    expect(await pair.live('select * from stocker.cheapest')).toEqual(
      await pair.copy('select * from stocker.cheapest'),
    );
    expect(await pair.live(content('stocker.per_colour'))).toEqual(await pair.copy(content('stocker.per_colour')));
  });

  test('hands out no key again that it had handed out', async () => {
    await pair.repair([prices]);
    const add = `insert into ${prices} (product_id, "net price") values (1, 7) returning "Id", number`;
    expect(await pair.live(add)).toEqual(await pair.copy(add));
  });

  test('is made with nothing where rows that hang on it were written since: the message names them', async () => {
    await pair.live('insert into stocker.discount values (777777, 1), (888888, 2)');
    const error = await refusal(pair.repair([prices]));
    expect(error).toMatchObject({ name: 'RepairRefused' });
    expect(error.message).toContain(
      `2 rows of stocker.discount find nothing in ${prices} by discount_price_id_fkey, such as (price_id) = 777777; 888888`,
    );
    expect(await pair.live('select to_regclass($1) as name', [prices])).toEqual([{ name: null }]);
  });

  test('is refused where a function went with it: the message names it', async () => {
    await pair.copy(
      `create function stocker.all_prices() returns setof ${prices} language sql begin atomic select * from ${prices}; end`,
    );
    expect((await refusal(pair.repair([prices]))).message).toContain('function stocker.all_prices()');
  });

  test('is refused where the table that it refers to is gone, too, and repaired where both are named', async () => {
    await pair.live('drop table stocker.product cascade');
    expect((await refusal(pair.repair([prices]))).message).toContain('refers to stocker.product, which is gone, too');
    await pair.repair([prices, 'stocker.product']);
    expect(await pair.live(catalogue)).toEqual(await pair.copy(catalogue));
    expect(await pair.live(content('stocker.product'))).toEqual(await pair.copy(content('stocker.product')));
  });
});

describe('a table that is there', () => {
  test('gets its rows back after it was emptied, with those that CASCADE emptied where they are named', async () => {
    await pair.live('truncate stocker.product cascade');
    const all = ['stocker.stock_movement', 'stocker.stock', 'stocker.discount', prices, 'stocker.product'];
    const { facts } = await pair.repair(all);
    for (const table of all) expect(await pair.live(content(table))).toEqual(await pair.copy(content(table)));
    expect(facts).toMatchObject({
      repair: {
        tables: expect.arrayContaining([expect.objectContaining({ table: 'stocker.product', putBack: 3000 })]),
      },
    });
  });

  test('gets a wrong column back, keeps what was written after the restore point, and leaves other tables alone', async () => {
    await pair.live(`
      update stocker.product set name = 'oops';
      insert into stocker.product (tenant_id, sku, name) values (2, 'new', 'after the restore point');
      update stocker.stock set quantity = quantity + 1;`);
    const stock = await pair.live(content('stocker.stock'));
    const { facts } = await pair.repair(['stocker.product']);
    expect(facts).toMatchObject({
      repair: { tables: [{ table: 'stocker.product', recreated: false, putBack: 0, changed: 3000, kept: 1 }] },
    });
    const old = `stocker.product where id <= 3000`;
    expect(await pair.live(`select md5(string_agg(name, ',' order by id)) from ${old}`)).toEqual(
      await pair.copy(`select md5(string_agg(name, ',' order by id)) from ${old}`),
    );
    expect(await pair.live("select name from stocker.product where sku = 'new'")).toEqual([
      { name: 'after the restore point' },
    ]);
    expect(await pair.live(content('stocker.stock'))).toEqual(stock);
  });

  test('gets deleted rows back, and its triggers take no part and are as they were', async () => {
    await pair.live(
      `delete from stocker.discount; delete from ${prices} where product_id > 400; update ${prices} set extra = '{}' where product_id < 3`,
    );
    const triggers = 'select tgname, tgenabled from pg_trigger where not tgisinternal';
    const { facts } = await pair.repair([prices, 'stocker.discount']);
    expect(facts).toMatchObject({
      repair: {
        tables: [
          { table: prices, putBack: 100, changed: 2, kept: 0 },
          { table: 'stocker.discount', putBack: 500, changed: 0, kept: 0 },
        ],
      },
    });
    expect(await pair.live(content(prices))).toEqual(await pair.copy(content(prices)));
    expect(await pair.live(triggers)).toEqual(await pair.copy(triggers));
  });

  test('is not changed where a row of the copy refers to what is gone by now: the message names constraint, number and keys', async () => {
    await pair.live(`
      delete from stocker.discount; delete from ${prices};
      delete from stocker.stock_movement where product_id in (7, 8); delete from stocker.stock where product_id in (7, 8);
      delete from stocker.product where id in (7, 8)`);
    const before = await pair.live(content(prices));
    const error = await refusal(pair.repair([prices]));
    expect(error.name).toBe('RepairRefused');
    expect(error.message).toContain(
      `2 rows of ${prices} find nothing in stocker.product by "price list_product_id_fkey", such as (product_id) = 7; 8`,
    );
    expect(await pair.live(content(prices))).toEqual(before);
    // (control) together with what they refer to they go back
    await pair.repair([prices, 'stocker.product']);
    expect(await pair.live(content(prices))).toEqual(await pair.copy(content(prices)));
  });

  test('is not changed where a newer row has taken a unique value: PostgreSQL names it', async () => {
    await pair.live(`delete from stocker.discount; delete from ${prices}; delete from stocker.stock; delete from stocker.stock_movement;
      delete from stocker.product where id = 9; insert into stocker.product (tenant_id, sku, name) values (1, 'sku-9', 'again')`);
    const error = await refusal(pair.repair(['stocker.product']));
    expect(error.message).toContain('product_tenant_id_sku_key');
    expect(error.message).toContain('(1, sku-9)');
  });

  test('is not changed where the sentinel would object: to a query, to a floor, to the content of an append-only table', async () => {
    const baseline = { at: '2026-11-22T20:00:00.000Z', rows: { 'stocker.product': '9000' } };
    const known = { 'stocker.stock_movement': { key: '3000', rows: '3000', hash: '1' } };
    await pair.baselines.record({ ...baseline, version: 1, schemaVersion: '7', schemaHash: '', appendOnly: known });
    await pair.copy('update stocker.stock set quantity = -1 where product_id = 1');
    await pair.live('update stocker.stock set quantity = 0');
    const error = await refusal(pair.repair(['stocker.stock', 'stocker.product', 'stocker.stock_movement']));
    expect(error.message).toContain('stocker.product has 3000 rows; it had 9000');
    expect(error.message).toContain('stocker.stock_movement up to key 3000 is not what it was');
    expect(error.message).toContain('"no negative stock" yields 1, expected 0');
    expect(await pair.live('select sum(quantity) from stocker.stock')).toEqual([{ sum: '0' }]);
  });

  test('is refused where its columns are not the copy’s', async () => {
    await pair.live(
      'alter table stocker.stock_movement drop column committed_at; alter table stocker.stock_movement add colour text',
    );
    const { message } = await refusal(pair.repair(['stocker.stock_movement']));
    expect(message).toContain(
      'the copy has committed_at timestamp with time zone not null; production has colour text',
    );
  });

  test('is locked against nobody for long: who holds it is named, and nothing is changed', async () => {
    const busy = await pairs.open(
      await pair.live('select current_database() as name').then(([row]) => row?.name ?? ''),
    );
    await busy.query('begin; select 1 from stocker.product limit 1');
    await pair.live("update stocker.product set name = 'oops' where id = 1");
    const error = await refusal(pair.repair(['stocker.product']));
    expect(error).toMatchObject({ name: 'TablesLocked', retryable: false });
    expect(error.message).toMatch(/Sessions at work on them: \d+ \(postgres, idle in transaction/);
    expect(await pair.live('select name from stocker.product where id = 1')).toEqual([{ name: 'oops' }]);
    await busy.query('commit');
    await busy.close();
    await pair.repair(['stocker.product']);
    expect(await pair.live("select count(*) from stocker.product where name = 'oops'")).toEqual([{ count: '0' }]);
  });
});

describe('a repair that is cut off', () => {
  test('changes nothing, may be tried again, and then succeeds', async () => {
    const [row] = await pair.live('select current_database() as name');
    const busy = await pairs.open(row?.name ?? '');
    await busy.query('begin; lock table stocker.stock in row exclusive mode');
    await pair.live("update stocker.product set name = 'oops' where id = 1");
    // It has locked its table, and waits for one that refers to it.
    const cut = refusal(pair.repair(['stocker.product'], { locking: { attempts: 50, pauseSeconds: 0 } }));
    const cutOff = `select pg_terminate_backend(pid, 3000) as gone from pg_stat_activity
      where application_name = 'stocker-dr-repair' and datname = current_database() and wait_event_type = 'Lock'`;
    await vi.waitFor(async () => expect(await pair.live(cutOff)).toEqual([{ gone: 't' }]), 10_000);
    expect(await cut).toMatchObject({ name: 'DatabaseNotReady', retryable: true });
    await busy.query('commit');
    await busy.close();
    expect(await pair.live('select name from stocker.product where id = 1')).toEqual([{ name: 'oops' }]);
    const { facts } = await pair.repair(['stocker.product']);
    expect(facts).toMatchObject({ repair: { tables: [{ changed: 1 }] } });
  });
});

describe('a repair that is repeated', () => {
  test('changes nothing, not even what was written since, and says what the first one did', async () => {
    await pair.live("update stocker.product set name = 'oops'");
    const first = await pair.repair(['stocker.product']);
    await pair.live("update stocker.product set name = 'a good change since' where id = 5");
    const before = await pair.live(content('stocker.product'));
    const again = await pair.repair(['stocker.product']);
    expect(again.facts).toEqual(first.facts);
    expect(await pair.live(content('stocker.product'))).toEqual(before);
    // (control) another restore point is another repair
    await pair.repair(['stocker.product'], {}, '2026-11-22T20:09:00.000Z');
    expect(await pair.live(content('stocker.product'))).toEqual(await pair.copy(content('stocker.product')));
  });

  test('finds nothing to change where the table is what the copy holds', async () => {
    const { facts } = await pair.repair([prices, 'stocker.product']);
    expect(facts).toMatchObject({
      repair: {
        tables: [
          { table: 'stocker.product', putBack: 0, changed: 0, kept: 0 },
          { table: prices, putBack: 0, changed: 0, kept: 0 },
        ],
      },
    });
  });
});

describe('a table that cannot be repaired by itself is refused:', () => {
  test.each([
    { case: 'it has no primary key', make: 'create table stocker.t (n int)', says: 'it has no primary key' },
    {
      case: 'it is partitioned',
      make: 'create table stocker.t (n int primary key) partition by range (n)',
      says: 'it is partitioned',
    },
    {
      case: 'it has row-level security',
      make: 'create table stocker.t (n int primary key); alter table stocker.t enable row level security',
      says: 'row-level security',
    },
    {
      case: 'it has a rule',
      make: 'create table stocker.t (n int primary key); create rule quiet as on delete to stocker.t do instead nothing',
      says: 'the rule quiet',
    },
    {
      case: 'it is inherited from',
      make: 'create table stocker.t (n int primary key); create table stocker.u () inherits (stocker.t)',
      says: 'inherited from',
    },
    { case: 'it is unlogged', make: 'create unlogged table stocker.t (n int primary key)', says: 'unlogged' },
    { case: 'it is a view', make: 'create view stocker.t as select 1 as n', says: 'it is a view' },
    {
      case: 'other tables follow its columns',
      make: 'create table stocker.t (n int primary key, code int unique); create table stocker.u (code int references stocker.t (code) on update cascade)',
      says: 'stocker.u follows changes',
    },
    {
      case: 'its sequence counts down',
      make: 'create table stocker.t (n int generated always as identity (increment -1) primary key)',
      says: 'counts down',
    },
    { case: 'the copy does not have it', make: '', says: 'stocker.t is not in dr-drill' },
  ])('$$case', async ({ make, says }) => {
    if (make !== '') for (const query of [pair.copy, pair.live]) await query(make);
    const error = await refusal(pair.repair(['stocker.t']));
    expect(error.name).toBe('RepairRefused');
    expect(error.message).toContain(says);
  });
});

describe('production that is not the plan’s any more is not touched:', () => {
  test.each([
    { case: 'the lease is gone', change: () => Object.assign(pair.control, { lease: undefined }) },
    {
      case: 'it was cut over meanwhile',
      change: () => Object.assign(pair.control, { active: { ...pair.control.active, epoch: 9 } }),
    },
  ])('$$case', async ({ change }) => {
    await pair.live("update stocker.product set name = 'oops' where id = 1");
    change();
    expect((await refusal(pair.repair(['stocker.product']))).name).toBe('LeaseLost');
    expect(await pair.live('select name from stocker.product where id = 1')).toEqual([{ name: 'oops' }]);
  });
});
