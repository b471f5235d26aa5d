/** An initialized cluster, made once per version and settings, then copied: initdb takes 600 ms, a copy 30. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../kernel.ts';
import { makeOwnedDirectory } from './account.ts';
import { adopt, type Binaries, run } from './binaries.ts';
import { bootstrapSql, makeTrustedExtensions } from './bootstrap.ts';
import { Cluster, findFreePort, superuser } from './cluster.ts';
import { segmentBytes } from './settings.ts';

const initdbArguments = [
  '--auth=trust', // of the file that initdb writes; every start writes its own pg_hba.conf
  '--encoding=UTF8',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--locale=C',
  '--data-checksums',
  '--no-sync',
  '--no-instructions',
  `--wal-segsize=${segmentBytes / 1024 / 1024}`,
];

/** A row of pg_settings, for the catalogue of parameters. */
export interface ParameterRow {
  readonly name: string;
  readonly context: string;
  readonly vartype: string;
  readonly short_desc: string;
  readonly boot_val: string | null;
  readonly min_val: string | null;
  readonly max_val: string | null;
  readonly enumvals: readonly string[] | null;
}

export interface Template {
  /** Every parameter that this PostgreSQL knows. */
  readonly parameters: readonly ParameterRow[];
  /** For `extension_control_path`. */
  readonly extensions: string;
  /** Copies the template into an empty data directory. */
  copyTo(data: string): Promise<void>;
}

const made = new Map<string, Promise<Template>>();
/** Makes the template, or finds the one that another process made. */
export function findTemplate(binaries: Binaries, certificate: Certificate): Promise<Template> {
  const template = made.get(binaries.version) ?? make(binaries, certificate);
  made.set(binaries.version, template);
  template.catch(() => made.delete(binaries.version));
  return template;
}

async function make(binaries: Binaries, certificate: Certificate): Promise<Template> {
  const key = createHash('sha256')
    .update(JSON.stringify([initdbArguments, bootstrapSql, binaries.version, binaries.account]))
    .digest('hex');
  const target = join(binaries.cacheDirectory, `template-${key.slice(0, 16)}`);
  if (!existsSync(target)) {
    const staging = mkdtempSync(join(binaries.cacheDirectory, 'staging-'));
    try {
      await initialize(binaries, certificate, staging);
      adopt(staging, target);
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  }
  return {
    parameters: JSON.parse(readFileSync(join(target, 'parameters.json'), 'utf8')) as ParameterRow[],
    extensions: join(target, 'extensions'),
    // As root, -a keeps the account that the template belongs to.
    copyTo: async (data) => {
      await run('cp', [...cloneArguments, `${join(target, 'data')}/.`, data]);
    },
  };
}

/** Copy on write where the file system can. */
const cloneArguments = process.platform === 'linux' ? ['-a', '--reflink=auto'] : ['-a', '-c'];

async function initialize(binaries: Binaries, certificate: Certificate, directory: string): Promise<void> {
  const working = join(directory, 'w');
  mkdirSync(working, { mode: 0o755 });
  const cluster = new Cluster({ binaries, dataDirectory: directory, directory: working, certificate });
  await run(binaries.initdb, ['-D', cluster.data, '-U', superuser, ...initdbArguments], binaries.spawn);
  // Few WAL segments: they are copied with every clone.
  await cluster.start({
    port: await findFreePort(),
    settings: { min_wal_size: '2MB', wal_recycle: false },
    requireTls: true,
  });
  try {
    for (const database of ['template1', 'postgres']) {
      const client = await cluster.connect(database);
      // Roles are the cluster's, functions and triggers each database's.
      const sql = database === 'postgres' ? bootstrapSql.slice(bootstrapSql.indexOf('create schema')) : bootstrapSql;
      await client.query(sql).finally(() => client.end());
    }
    const rows = await cluster.query(
      'select name, context, vartype, short_desc, boot_val, min_val, max_val, enumvals from pg_settings order by name',
    );
    writeFileSync(join(directory, 'parameters.json'), JSON.stringify(rows));
    for (const statement of ['checkpoint', 'select pg_switch_wal()', 'checkpoint']) await cluster.query(statement);
  } finally {
    await cluster.stop();
  }
  makeTrustedExtensions(binaries.extensions, join(directory, 'extensions'));
  makeOwnedDirectory(join(directory, 'data'), binaries.account);
  await run('cp', [...cloneArguments, `${cluster.data}/.`, join(directory, 'data')]);
  rmSync(working, { recursive: true, force: true });
}
