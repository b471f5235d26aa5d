/** Two tables of production are repaired in place while its clients go on: what they wrote meanwhile is all there. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { invoke } from '../../../cli/clients.ts';
import { connect } from '../../../cli/installation.ts';
import { presentReferences } from '../../../cli/measure.ts';
import type { Report } from '../../../core/evidence/contracts.ts';
import { type Clients, startClients } from '../../../workload/clients/clients.ts';
import { Production, type ProductionBefore } from '../../support/recovery.ts';
import { type Ended, eventually } from '../../support/rehearsal.ts';
import { site } from '../site.ts';

describe('tables are repaired in place', () => {
  let production: Production;
  let writers: Clients;
  let before: ProductionBefore;

  const look = (input = {}) =>
    invoke(site.installation.clients.lambda, site.names.lambda('database/look-for-damage'), input);

  beforeAll(async () => {
    const [products, warehouses] = [
      [2, 4, 6, 8, 10],
      [1, 2, 3, 4],
    ];
    writers = startClients({ url: site.installation.apiUrl, writers: 2, pauseMs: 50, tenant: 2, products, warehouses });
    await site.sql(`create view stocker.ordered as select product_id, sum(quantity) as quantity from stocker.order_line group by 1;
      grant select on stocker.ordered to stocker_app, stocker_dr_sentinel`);
    await look({ accept: 'a view for the buyers' });
    await site.settled();
    production = new Production(site);
    before = await production.before();
  });
  afterAll(async () => {
    await site.sql('drop view stocker.ordered');
    await look({ accept: 'the buyers need it no more' });
    await writers?.stop();
    await production?.stop();
  });

  /** The moment after everything that there is now, once it can be restored to. */
  async function restorePoint(): Promise<string> {
    const moment = Date.now();
    await site.restorable(moment + 500);
    return new Date(moment).toISOString();
  }

  /** The tables as they are, and what hangs on them. */
  const tables = () =>
    site.sql(`select (select sum(hash_record_extended(p, 0)) from stocker.product p where id <= 40) as products,
      (select sum(hash_record_extended(l, 0)) from stocker.order_line l) as lines,
      (select sum(hash_record_extended(o, 0)) from stocker.ordered o) as ordered,
      (select json_agg(json_build_array(conrelid::regclass, conname, pg_get_constraintdef(c.oid)) order by conrelid::regclass::text, conname)
        from pg_constraint c join pg_class r on r.oid = conrelid where relnamespace = 'stocker'::regnamespace) as constraints,
      (select json_agg(json_build_array(oid::regclass, grantee::regrole, privilege_type) order by oid::regclass::text, grantee, privilege_type)
        from pg_class, aclexplode(relacl) where relnamespace = 'stocker'::regnamespace and relkind in ('r', 'v')) as grants`);

  async function lostWrites(): Promise<string[]> {
    const { database, configuration, cloud } = site.installation;
    const acknowledged = [...writers.ledger.entries];
    const session = await connect(database, configuration.database.name, cloud.certificateAuthority);
    const present = await presentReferences(session).finally(() => session.end());
    return acknowledged.map(({ reference }) => reference).filter((reference) => !present.has(reference));
  }

  describe('a dropped table and a wrong update', () => {
    let ended: Ended;
    let report: Report;
    let wereThere: object[];

    beforeAll(async () => {
      wereThere = await tables();
      const restoreTo = await restorePoint();
      await site.sql(`drop table stocker.order_line cascade; update stocker.product set name = 'oops'`);
      await site.sql(
        `insert into stocker.product (tenant_id, sku, name) values (3, 'new', 'made after the restore point')`,
      );
      const scope = { tables: ['stocker.order_line', 'stocker.product'] };
      ended = await production.recover({ scope, restoreTo });
      report = await site.report(ended.incident);
    });

    test('are repaired in production, with the view and the keys that went with them', async () => {
      expect(ended).toMatchObject({ status: 'SUCCEEDED', cause: '' });
      expect(await tables()).toEqual(wereThere);
      expect(report.repair?.tables).toEqual([
        expect.objectContaining({ table: 'stocker.product', recreated: false, changed: 40, putBack: 0, kept: 1 }),
        expect.objectContaining({ table: 'stocker.order_line', recreated: true, putBack: 200 }),
      ]);
      expect(report.repair?.dependants.map(({ dependant }) => dependant)).toEqual(
        expect.arrayContaining([
          'stocker.order_line to stocker.product by order_line_product_id_fkey',
          'stocker.stock to stocker.product by stock_product_id_fkey',
          'stocker.ordered',
        ]),
      );
      expect(report.outcome).toBe('The repair of tables succeeded within its objectives');
    });

    test('cost no client a write: those of the time of the repair are there, too', async () => {
      const repairing = report.timeline.find(({ step }) => step === 'RepairTables');
      const [from, to] = [Date.parse(repairing?.startedAt ?? ''), Date.parse(repairing?.finishedAt ?? '')];
      expect(writers.ledger.entries.filter(({ sentAt }) => sentAt > from && sentAt < to)).not.toEqual([]);
      expect(await lostWrites()).toEqual([]);
      expect(writers.ledger.failures).toEqual([]);
      expect(await site.sql("select name from stocker.product where sku = 'new'")).toEqual([
        { name: 'made after the restore point' },
      ]);
      // Control: a write that is taken away is missed.
      const [taken] = await site.sql<{ reason: string }>(
        `with one as (select id, reason from stocker.stock_movement where reason like 'ledger:%' limit 1)
         update stocker.stock_movement m set reason = 'taken' from one where m.id = one.id returning one.reason`,
      );
      expect(await lostWrites()).toEqual([taken?.reason.replace('ledger:', '')]);
      await site.sql(`update stocker.stock_movement set reason = '${taken?.reason}' where reason = 'taken'`);
    });

    test('leave production where it was, no copy, and the lease free for the drill that looks in depth', async () => {
      await production.stopFollowUp(ended);
      expect(await production.before()).toEqual(before);
      // The copy was closed when it was fenced. Until then the application reaches it as little as that of a drill: by its group.
      const fenced = report.timeline.find(({ step }) => step === 'FenceDatabase');
      const since = production.acceptedSince(Date.parse(fenced?.finishedAt ?? ''));
      expect(since).toContain(before.active?.identifier);
      expect(since).not.toContain(site.candidateOf(ended.incident));
      await eventually('the end of the copies', async () => (await production.copies()).length === 0);
      expect(production.toldOf(ended.incident).join()).toContain('Only these tables are repaired');
    });
  });

  describe('a table that cannot go back alone', () => {
    test('is left as it is: its movements went on, and the message says what does not fit', async () => {
      const restoreTo = await restorePoint();
      const newest = writers.ledger.entries.length;
      await eventually('newer movements', () => writers.ledger.entries.length > newest + 5);
      const ended = await production.recover({ scope: { tables: ['stocker.stock'] }, restoreTo });
      expect(ended).toMatchObject({ status: 'FAILED', error: 'RepairRefused' });
      expect(ended.cause).toContain('"stock equals the sum of its movements" yields');
      await production.expectOnlyWritesTo(before.active?.identifier ?? '');
      expect(await production.before()).toEqual(before);
      expect(await production.copies()).toEqual([]);
      expect(await lostWrites()).toEqual([]);
      expect((await site.report(ended.incident)).outcome).toBe(
        'The repair of tables failed in RepairTables: RepairRefused; nothing of production was changed',
      );
    });

    test('is refused before anybody is asked where nobody has it, and the nearest name is given', async () => {
      const scope = { tables: ['stocker.prodct'] };
      const ended = await production.end(await production.begin({ scope, restoreTo: await restorePoint() }));
      expect(ended).toMatchObject({ status: 'FAILED', error: 'ScopeRefused' });
      expect(ended.cause).toContain('did you mean stocker.product?');
      expect(await site.step(ended.incident, 'RequestApproval')).toBeUndefined();
    });
  });
});
