/** Restores from the plan's nightly dump: what it held comes back, and a dump that is broken changes nothing. */
import { BatchGetBuildsCommand, CodeBuildClient, ListBuildsForProjectCommand } from '@aws-sdk/client-codebuild';
import { DescribeDBInstancesCommand } from '@aws-sdk/client-rds';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dumpDatabase } from '../../../cli/installation.ts';
import { Production } from '../../support/recovery.ts';
import { eventually } from '../../support/rehearsal.ts';
import { site } from '../site.ts';

describe('a dump', () => {
  /** A dump, and what production held when it was made. */
  let dump: string;
  let dumped: Content;

  beforeAll(async () => {
    await site.settled();
    const { database } = site.installation;
    dump = await dumpDatabase({ ...site.installation, database: { ...database, port: (await site.active()).port } });
    dumped = await contentOf();
    await site.sql("insert into stocker.tenant (name) values ('after the dump')");
  });

  type Content = Readonly<Record<string, string>>;
  const hashOf = (table: string) => `(select md5(string_agg(t::text, ' ' order by t::text)) from stocker.${table} t)`;
  const tables = ['tenant', 'product', 'warehouse', 'stock', 'stock_movement', 'customer_order', 'order_line'];
  /** A hash of the rows of every table. */
  const contentSql = `select ${tables.map((table) => `${hashOf(table)} as ${table}`).join()}`;
  const contentOf = async (port?: number) => (await site.sql<Content>(contentSql, port))[0] ?? {};

  /** What the copy of a drill or a recovery holds when it has passed the gate, before anybody writes to it. */
  function readCopy(prefix: string): Promise<Content> {
    return site.atStep('CutOver', async () => {
      const { identifier } = await site.active();
      const { DBInstances = [] } = await site.installation.clients.rds.send(new DescribeDBInstancesCommand({}));
      const copy = DBInstances.find(
        ({ DBInstanceIdentifier: name }) => name?.startsWith(prefix) && name !== identifier,
      );
      return contentOf(copy?.Endpoint?.Port);
    });
  }

  /** Puts a changed copy of the dump beside it; returns its name. */
  async function harmed(name: string, harm: (file: Buffer) => Buffer): Promise<string> {
    const { clients, configuration } = site.installation;
    const { dumpBucket: Bucket } = configuration.primary;
    const { dumpPrefix } = configuration.database;
    const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket, Key: dumpPrefix + dump }));
    const file = Buffer.from((await Body?.transformToByteArray()) ?? []);
    const other = dump.replace('stocker-db', name);
    await clients.s3.send(new PutObjectCommand({ Bucket, Key: dumpPrefix + other, Body: harm(file) }));
    return other;
  }
  const cutOff = () => harmed('stocker-cut', (file) => file.subarray(0, file.length >> 1));
  const flipped = () =>
    harmed('stocker-flipped', (file) => {
      file.writeUInt8(file.readUInt8(file.length - 6) ^ 1, file.length - 6);
      return file;
    });

  describe('a drill from a dump', () => {
    test('holds the rows exactly as the dump had them, passes every check, and is gone afterwards', async () => {
      const copied = readCopy('dr-drill-');
      const ended = await site.drill({ restoreTo: { dump } });
      expect(ended).toMatchObject({ status: 'SUCCEEDED', cause: '' });
      expect(await copied).toEqual(dumped);
      // Control: production has moved on, and the comparison sees it.
      expect(await contentOf()).not.toEqual(dumped);
      expect((await site.step(ended.incident, 'LoadDump'))?.summary).toContain(dump);
      expect(await site.leftovers()).toEqual([]);
    });

    test('is refused before anything is made where there is no such dump', async () => {
      const missing = dump.replace('stocker-db', 'stocker-none');
      const ended = await site.drill({ restoreTo: { dump: missing } });
      expect(ended).toMatchObject({ status: 'FAILED', error: 'InvalidRequest' });
      expect(ended.cause).toContain(missing);
      expect(await site.leftovers()).toEqual([]);
    });

    test('that is cut off ends with DumpUnusable, names it, and leaves nothing', async () => {
      const content = await contentOf();
      const name = await cutOff();
      const ended = await site.drill({ restoreTo: { dump: name } });
      expect(ended).toMatchObject({ status: 'FAILED', error: 'DumpUnusable' });
      expect(ended.cause).toContain(name);
      expect(await site.leftovers()).toEqual([]);
      expect(await contentOf()).toEqual(content);
    });
  });

  describe('a drill that is stopped while its dump is loaded', () => {
    test('stops the build with it, and leaves nothing', async () => {
      const codebuild = new CodeBuildClient({ ...site.installation.connection, region: site.region });
      const projectName = site.names.jobProject('database');
      let arn = '';
      site.inject({
        service: 's3',
        operation: 'GetObject',
        where: ({ Key }) => Key?.endsWith(dump) === true,
        times: 1,
        effect: { kind: 'hold', until: () => site.halt(arn) },
      });
      arn = await site.begin({ reason: 'to be stopped while the dump is loaded', restoreTo: { dump } });
      expect(await site.end(arn)).toMatchObject({ status: 'ABORTED' });
      const { ids = [] } = await codebuild.send(new ListBuildsForProjectCommand({ projectName }));
      const newest = async () =>
        (await codebuild.send(new BatchGetBuildsCommand({ ids: ids.slice(0, 1) }))).builds?.[0];
      await eventually('the end of the build', async () => (await newest())?.buildComplete);
      expect(await newest()).toMatchObject({ buildStatus: 'STOPPED' });
      await eventually('nothing left', async () => (await site.leftovers()).length === 0);
    });
  });

  describe('a recovery of production from a dump', () => {
    let production: Production;
    beforeAll(() => {
      production = new Production(site);
    });
    afterAll(() => production?.stop());
    /** Of the tables that the prober does not write. */
    const unprobed = async () => ({ ...(await contentOf()), stock: '', stock_movement: '' });

    test('whose checksum is wrong ends with DumpUnusable, and production takes writes again as before', async () => {
      const [before, content] = [await production.before(), await unprobed()];
      const ended = await production.recover({ restoreTo: { dump: await flipped() } });
      expect(ended).toMatchObject({ status: 'FAILED', error: 'DumpUnusable' });
      expect(ended.cause).toContain('incorrect data check');
      await production.expectAsBefore(before, ended);
      expect(await unprobed()).toEqual(content);
      await production.removeCopies();
    });

    test('makes what it held production', async () => {
      const copied = readCopy('stocker-pro-staging-');
      const ended = await production.recover({ restoreTo: { dump } });
      expect(ended).toMatchObject({ status: 'SUCCEEDED', cause: '' });
      expect(await copied).toEqual(dumped);
      await production.stopFollowUp(ended);
      const active = await production.active();
      expect(active?.identifier).toMatch(/^stocker-pro-staging-[0-9a-f]{8}$/);
      await production.expectOnlyWritesTo(active?.identifier ?? '');
      production.expectOneAtMost();
      await production.removeCopies();
    });
  });
});
