/** A real PostgreSQL as RDS offers it (the embedded cloud's), with STOCKER's tables, for the tests of product code. */
import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Candidate } from '../../core/database/contracts.ts';
import type { Credentials, Secrets } from '../../core/database/ports.ts';
import { sessions as overPg } from '../../lambdas/adapters/postgres/sessions.ts';
import { createCertificateAuthority } from '../../local/certificates.ts';
import { findBinaries } from '../../local/postgres/binaries.ts';
import { masterSql } from '../../local/postgres/bootstrap.ts';
import { Cluster, findFreePort } from '../../local/postgres/cluster.ts';
import { findTemplate } from '../../local/postgres/template.ts';
import { activeDatabase, settings as common } from '../core/fakes.ts';

export const pageBytes = 8192;

export const logins: Readonly<Record<string, Credentials>> = {
  'stocker/master': { username: 'postgres', password: 'master secret' },
  'stocker/heartbeat': { username: 'stocker_dr_heartbeat', password: 'heartbeat secret' },
  'stocker/sentinel': { username: 'stocker_dr_sentinel', password: 'sentinel secret' },
  'stocker/app': { username: 'stocker_app', password: 'application secret' },
};

export const secrets: Secrets = {
  async credentials(name) {
    const found = logins[name];
    if (!found) throw new Error(`no secret ${name}`);
    return found;
  },
};

export const settings = {
  ...common,
  database: { ...common.database, schemaVersionSql: 'select max(version) from stocker.schema_migration' },
  validation: {
    ...common.validation,
    rowFloors: { 'stocker.product': 0.9 },
    appendOnly: { 'stocker.stock_movement': 'id' },
    queries: [
      {
        name: 'no negative stock',
        kind: 'application' as const,
        sql: 'select count(*) from stocker.stock where quantity < 0',
        expect: 0,
      },
    ],
  },
};

/** STOCKER's tables, small, vacuumed: a page that is all-visible is what a restored copy mostly has. */
const tables = `
  create schema stocker;
  create table stocker.schema_migration (version int primary key);
  insert into stocker.schema_migration values (7);
  create table stocker.product (id bigint generated always as identity primary key, tenant_id bigint not null,
    sku text not null, name text not null, unique (tenant_id, sku));
  insert into stocker.product (tenant_id, sku, name) select 1, 'sku-' || n, md5(n::text) from generate_series(1, 3000) n;
  create table stocker.stock (product_id bigint primary key references stocker.product, quantity int not null);
  insert into stocker.stock select id, 10 from stocker.product;
  create table stocker.stock_movement (id bigint generated always as identity primary key,
    product_id bigint not null references stocker.product, quantity int not null,
    committed_at timestamptz not null default clock_timestamp());
  insert into stocker.stock_movement (product_id, quantity) select id, 10 from stocker.product;
  create role stocker_app login password 'application secret';
  grant usage on schema stocker to stocker_app;
  grant select, insert, update, delete on all tables in schema stocker to stocker_app;`;

export async function startDatabase() {
  const root = mkdtempSync(join(tmpdir(), 'product-'));
  const authority = await createCertificateAuthority();
  const certificate = await authority.issue(['localhost'], ['127.0.0.1']);
  const binaries = await findBinaries();
  const template = await findTemplate(binaries, certificate);
  const cluster = new Cluster({ binaries, certificate, dataDirectory: root, directory: join(root, 'c') });
  const saved = join(root, 'saved');
  const port = await findFreePort();
  const server = {
    port,
    requireTls: true,
    settings: {
      extension_control_path: `${template.extensions}:$system`,
      max_prepared_transactions: 5,
      autovacuum: false,
    },
  };
  await template.copyTo(cluster.data);
  await cluster.start(server);
  for (const statement of masterSql('postgres', 'master secret', 'stocker')) await cluster.query(statement);

  const sessions = overPg(() => authority.certificate);
  const candidate: Candidate = {
    identifier: 'dr-drill-stocker-pro-staging-1a2b3c4d',
    resourceId: 'db-COPY',
    address: '127.0.0.1',
    port,
    database: 'stocker',
  };
  /** As the master user, in the application's database. */
  const query = async (sql: string, parameters?: readonly unknown[]) => {
    const options = { statementTimeoutMs: 20_000, applicationName: 'test' };
    const session = await sessions.open(candidate, await secrets.credentials('stocker/master'), options);
    try {
      return await session.query(sql, parameters);
    } finally {
      await session.close();
    }
  };
  await query(tables);
  await query('vacuum (freeze, analyze)');

  return {
    authority: authority.certificate,
    cluster,
    /** What the cluster starts again with. */
    server,
    candidate,
    active: { ...activeDatabase, address: '127.0.0.1', port },
    sessions,
    query,
    async close() {
      await cluster.destroy();
      rmSync(root, { recursive: true, force: true });
    },
    /** Keeps what there is now; `reset` brings exactly that back. */
    async save() {
      await cluster.stop();
      execFileSync('cp', ['-a', cluster.data, saved]);
      await cluster.start(server);
    },
    async reset() {
      await cluster.kill();
      rmSync(cluster.data, { recursive: true, maxRetries: 5 });
      execFileSync('cp', ['-a', saved, cluster.data]);
      await cluster.start(server);
    },
    /** Changes one page of a relation on disk while the server is down. */
    async damage(relation: string, block: number, change: (page: Buffer) => void) {
      const [row] = await query(`checkpoint; select pg_relation_filepath('${relation}'::regclass) as file`);
      await cluster.stop();
      rewritePage(join(cluster.data, row?.file ?? ''), block, change);
      await cluster.start(server);
    },
  };
}

export type TestDatabase = Awaited<ReturnType<typeof startDatabase>>;

function rewritePage(file: string, block: number, change: (page: Buffer) => void): void {
  const handle = openSync(file, 'r+');
  const page = Buffer.alloc(pageBytes);
  readSync(handle, page, 0, pageBytes, block * pageBytes);
  change(page);
  writeSync(handle, page, 0, pageBytes, block * pageBytes);
  fsyncSync(handle);
  closeSync(handle);
}

const lanes = Uint32Array.from(
  `5b1f36e9 b8525960 02ab50aa 1de66d2a 79ff467a 9bb9f8a3 217e7cd2 83e13d2c f8d4474f e39eb970 42c6ae16 993216fa 7b093b5d
   98daff3c f718902a 0b1c9cdb e58f764b 187636bc 5d7b3bb1 e73de7de 92bec979 cca6c0b2 304a0979 85aa43d4 783125bb 6ca8eaa2
   e407eac6 4b5cfc3e 9fbf8c76 15ca20be f2ca9fd3 959bd756`
    .split(/\s+/)
    .map((word) => Number.parseInt(word, 16)),
);

/** Gives a changed page a valid checksum (PostgreSQL's checksum_impl.h), as bad memory or software would. */
export function sealPage(page: Buffer, block: number): void {
  page.writeUInt16LE(0, 8);
  const sums = Uint32Array.from(lanes);
  const mix = (lane: number, word: number) => {
    const mixed = ((sums[lane] ?? 0) ^ word) >>> 0;
    sums[lane] = Math.imul(mixed, 16777619) ^ (mixed >>> 17);
  };
  for (let word = 0; word < pageBytes / 4; word += 1) mix(word % 32, page.readUInt32LE(word * 4));
  for (let round = 0; round < 2; round += 1) for (let lane = 0; lane < 32; lane += 1) mix(lane, 0);
  const folded = sums.reduce((all, sum) => (all ^ sum) >>> 0, 0);
  page.writeUInt16LE((((folded ^ block) >>> 0) % 65535) + 1, 8);
}
