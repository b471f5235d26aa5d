/**
 * Writes what the modelled PostgreSQL knows of the real one: parameters, catalogue queries of the product on the workload's
 * schema, and rows as seeded. Run it when such a query or the schema changes: node scripts/record-postgres.ts
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { configurationOf } from '../config/index.ts';
import { settingsOf } from '../config/names.ts';
import { postgresFactsSql } from '../core/database/parity.ts';
import type { Session } from '../core/database/ports.ts';
import { prepareFor } from '../core/database/prepare-database.ts';
import { relationHashes, schemaVersion } from '../core/database/relations.ts';
import { amcheckOf, indexesOf } from '../core/database/sentinel-checks.ts';
import { readCatalog } from '../core/validation/plan-validation.ts';
import { createCertificateAuthority } from '../local/certificates.ts';
import { collapse } from '../local/postgres-model/statements.ts';
import { openPostgresEngine } from '../local/services/rds/postgres-engine.ts';
import { createStocker } from '../workload/database/schema.ts';

const movements = 2000;
const room = join(import.meta.dirname, '../local/postgres-model');
const settings = settingsOf(configurationOf('production'));
const directory = mkdtempSync(join(tmpdir(), 'record-'));
const authority = await createCertificateAuthority();
const engine = await openPostgresEngine(directory, 'record');
try {
  const certificate = await authority.issue(['localhost'], ['127.0.0.1']);
  const master = { user: 'stocker', password: 'recorded' };
  const configuration = { certificate, parameters: {}, requireTls: true };
  const database = await engine.create(configuration, master, settings.database.name);
  const client = new Client({
    host: '127.0.0.1',
    port: database.port,
    database: settings.database.name,
    ...master,
    ssl: { ca: authority.certificate },
    types: { getTypeParser: () => (value: string) => value },
  });
  await client.connect();
  const [application] = settings.database.applicationRoles;
  await createStocker(client, { movements, role: application?.name ?? '', password: 'recorded' });

  const statements: Record<string, readonly Record<string, string | null>[]> = {};
  const session: Session = {
    query: async (sql, parameters) => (await client.query(sql, parameters && [...parameters])).rows,
    close: () => client.end(),
  };
  const login = (username: string) => ({ username, password: 'recorded' });
  const { heartbeatRole, sentinelRole, schemaVersionSql } = settings.database;
  await prepareFor(session, settings.database.name, login(heartbeatRole.name), login(sentinelRole.name));
  await client.query('vacuum analyze');
  const recording: Session = {
    ...session,
    async query(sql, parameters) {
      const rows = (await session.query(sql, parameters)).filter(
        (row) => !/^parameter (port|.*_(file|directories|path))$/.test(row.setting ?? ''),
      );
      if (parameters === undefined) statements[collapse(sql)] = rows;
      return rows;
    },
  };
  await readCatalog(recording);
  await relationHashes(recording);
  await schemaVersion(recording, schemaVersionSql);
  await indexesOf(recording);
  await amcheckOf(recording);
  await recording.query(postgresFactsSql);
  const rows: Record<string, number> = {};
  for (const table of Object.keys(settings.validation.rowFloors))
    rows[table] = Number((await session.query(`select count(*) as n from ${table}`))[0]?.n);
  await client.end();

  const write = (name: string, content: unknown) =>
    writeFileSync(join(room, name), `${JSON.stringify(content, null, 1)}\n`);
  write('recorded.json', { statements, rows });
  write('parameters.json', await engine.describeParameters());
} finally {
  await engine.close();
  rmSync(directory, { recursive: true, force: true });
}
