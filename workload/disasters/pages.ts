/** Disasters of the disk: bytes of a page rot while the server runs. */
import { closeSync, fsyncSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Disaster, Victim } from './disaster.ts';

const pageBytes = 8192;
/** SQLSTATE of a page whose checksum is wrong. */
const dataCorrupted = 'XX001';
const attempts = 20;

export const pageCorruption: Disaster = {
  title: 'a page of a table rots on disk',
  loses: 'database',
  strike: (victim) =>
    rot(victim, {
      relation: 'stocker.stock_movement',
      // Filled long ago: no writer puts a sound copy from its cache over it.
      block: 3,
      read: 'SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off; SELECT count(reason) FROM stocker.stock_movement',
    }),
};

export const indexCorruption: Disaster = {
  title: 'a page of an index rots on disk',
  loses: 'database',
  strike: (victim) =>
    rot(victim, {
      relation: 'stocker.stock_movement_pkey',
      // The leftmost leaf of a B-tree stays in block 1, where the first one was made; 0 is the meta page.
      block: 1,
      read: 'SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SELECT count(id) FROM stocker.stock_movement WHERE id > 0',
    }),
};

interface Target {
  readonly relation: string;
  readonly block: number;
  /** Reads every page of the relation, so that damage is met. */
  readonly read: string;
}

/** A page that the server has in memory hides what is on disk, so it is evicted, and read until the damage is met. */
async function rot({ master, server }: Victim, { relation, block, read }: Target): Promise<string> {
  const { rows } = await master.query<{ file: string; node: number; database: number }>(
    `SELECT pg_relation_filepath($1::regclass) AS file, pg_relation_filenode($1::regclass) AS node,
       (SELECT oid FROM pg_database WHERE datname = current_database()) AS database`,
    [relation],
  );
  const [found] = rows;
  if (!found) throw new Error(`There is no ${relation}`);
  const cache = await openCache(server.directory);
  try {
    await master.query('CHECKPOINT');
    flip(join(server.directory, found.file), block);
    for (let attempt = 1; attempt <= attempts; attempt++) {
      await cache.query(
        'SELECT pg_buffercache_evict(bufferid) FROM pg_buffercache WHERE relfilenode = $1 AND reldatabase = $2 AND relblocknumber = $3',
        [found.node, found.database, block],
      );
      if (await meetsDamage(master, read)) return `4 bytes flipped in block ${block} of ${relation}`;
    }
    throw new Error(`Block ${block} of ${relation} was damaged, and the server still reads it from memory`);
  } finally {
    await cache.query('DROP EXTENSION pg_buffercache');
    await cache.end();
  }
}

/** Only the superuser may evict. In a database of its own, so that the application's schema stays what it is. */
async function openCache(directory: string): Promise<Client> {
  // postmaster.pid: pid, data directory, start time, port, socket directory, …
  const lines = readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n');
  const client = new Client({ host: lines[4] ?? '', port: Number(lines[3]), user: 'rdsadmin', database: 'postgres' });
  await client.connect();
  await client.query('CREATE EXTENSION IF NOT EXISTS pg_buffercache');
  return client;
}

async function meetsDamage(master: Client, read: string): Promise<boolean> {
  try {
    await master.query(`BEGIN; ${read}; COMMIT`);
    return false;
  } catch (error) {
    await master.query('ROLLBACK');
    if ((error as { code?: string }).code === dataCorrupted) return true;
    throw error;
  }
}

function flip(file: string, block: number): void {
  const handle = openSync(file, 'r+');
  try {
    const bytes = Buffer.alloc(4);
    const position = block * pageBytes + 6000;
    if (readSync(handle, bytes, 0, 4, position) < 4) throw new Error(`${file} has no block ${block}`);
    writeSync(
      handle,
      bytes.map((byte) => byte ^ 0xff),
      0,
      4,
      position,
    );
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
