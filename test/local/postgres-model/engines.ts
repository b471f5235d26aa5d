/** Both engines behind the port, each with STOCKER's schema and 2,000 movements, and with what can go wrong with its databases. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { configurationOf } from '../../../config/index.ts';
import { settingsOf } from '../../../config/names.ts';
import type { Credentials, DatabaseAddress, Secrets, Sessions } from '../../../core/database/ports.ts';
import { connect, sessionOf } from '../../../lambdas/adapters/postgres/sessions.ts';
import { createCertificateAuthority } from '../../../local/certificates.ts';
import { realClock } from '../../../local/clock.ts';
import type { Content } from '../../../local/postgres-model/content.ts';
import { openModelledEngine } from '../../../local/postgres-model/engine.ts';
import type { ModelledServer } from '../../../local/postgres-model/server.ts';
import type { Configuration, Database, DatabaseEngine } from '../../../local/services/rds/engine.ts';
import { openPostgresEngine } from '../../../local/services/rds/postgres-engine.ts';
import { VirtualNetwork } from '../../../local/virtual/network.ts';
import { End } from '../../../local/virtual/stream.ts';
import { createStocker } from '../../../workload/database/schema.ts';
import type { Disaster } from '../../../workload/disasters/disaster.ts';
import { indexCorruption, pageCorruption } from '../../../workload/disasters/pages.ts';
import { badMigration, badUpdate, dropTable } from '../../../workload/disasters/statements.ts';

export const settings = settingsOf(configurationOf('production'));
const { database: names } = settings;
export const movements = 2000;
export const clock = { now: () => new Date() };

const login = (username: string): Credentials => ({ username, password: `the password of ${username}` });
export const master = login('stocker');
export const application = login(names.applicationRoles[0]?.name ?? '');
export const heartbeat = login(names.heartbeatRole.name);
export const sentinel = login(names.sentinelRole.name);

export const secrets: Secrets = {
  async credentials(name) {
    if (name === names.masterSecretName) return master;
    const roles = [names.heartbeatRole, names.sentinelRole, ...names.applicationRoles];
    const role = roles.find(({ secretName }) => secretName === name);
    if (role === undefined) throw new Error(`no secret ${name}`);
    return login(role.name);
  },
};

export type Damage = 'drop-table' | 'bad-update' | 'bad-migration' | 'heap-page' | 'index-page';

export interface Subject {
  readonly engine: DatabaseEngine;
  readonly configuration: Configuration;
  readonly sessions: Sessions;
  /** The application's schema, its rows and its role. */
  seed(database: Database): Promise<void>;
  strike(database: Database, damage: Damage): Promise<void>;
  /** A row of the application, in the table that only grows. */
  write(database: Database): Promise<void>;
  /** Ends the server as a failing host does. */
  kill(database: Database): void;
  close(): Promise<void>;
}

export const addressOf = ({ port }: Database): DatabaseAddress => ({
  address: '127.0.0.1',
  port,
  database: names.name,
});

async function openReal(): Promise<Subject> {
  const directory = mkdtempSync(join(tmpdir(), 'contract-'));
  const authority = await createCertificateAuthority();
  const certificate = await authority.issue(['localhost'], ['127.0.0.1']);
  const engine = await openPostgresEngine(directory, 'e');
  const asMaster = async <T>(database: Database, use: (client: pg.Client) => Promise<T>): Promise<T> => {
    const options = { statementTimeoutMs: 30_000, applicationName: 'contract' };
    const client = await connect(authority.certificate, addressOf(database), master, options, { types: pg.types });
    return use(client).finally(() => client.end());
  };
  const disasters: Readonly<Record<Damage, Disaster>> = {
    'drop-table': dropTable,
    'bad-update': badUpdate,
    'bad-migration': badMigration,
    'heap-page': pageCorruption,
    'index-page': indexCorruption,
  };
  return {
    engine,
    configuration: { certificate, parameters: {}, requireTls: true },
    sessions: {
      open: async (...asked) => sessionOf(await connect(authority.certificate, ...asked)),
    },
    seed: (database) =>
      asMaster(database, async (client) => {
        await createStocker(client, { movements, role: application.username, password: application.password });
        // All visible, as most of what was restored is: a count may go by an index alone.
        await client.query('vacuum (freeze, analyze)');
      }),
    strike: (database, damage) =>
      asMaster(database, async (client) => {
        await disasters[damage].strike({ master: client, server: database.location });
      }),
    write: (database) =>
      asMaster(database, async (client) => {
        await client.query(
          "insert into stocker.stock_movement (product_id, warehouse_id, quantity, reason) values (1, 1, 1, 'contract')",
        );
      }),
    kill({ location }) {
      if (location.pid === undefined) throw new Error('It does not run.');
      process.kill(location.pid, 'SIGKILL');
    },
    async close() {
      await engine.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export async function openModel(): Promise<Subject & { readonly network: VirtualNetwork }> {
  const network = new VirtualNetwork();
  const servers = new Map<number, ModelledServer>();
  const engine = openModelledEngine({
    clock: realClock(),
    network,
    durations: () => 0,
    onServer: (server) => servers.set(server.port, server),
  });
  const serverOf = ({ port }: Database): ModelledServer => {
    const server = servers.get(port);
    if (server === undefined) throw new Error(`Nothing was ever at ${port}.`);
    return server;
  };
  const changes: Readonly<
    Record<Extract<Damage, 'drop-table' | 'bad-update' | 'bad-migration'>, (content: Content) => void>
  > = {
    'drop-table': (content) => void content.dropped.add('stocker.order_line'),
    'bad-update': (content) => {
      content.inconsistent = true;
    },
    'bad-migration': (content) => void content.altered.add('stocker.stock_movement'),
  };
  const { username, password } = application;
  return {
    engine,
    network,
    configuration: { certificate: { key: '', certificate: '' }, parameters: {}, requireTls: true },
    sessions: {
      open: async (address, credentials, options) => {
        const own = { ssl: false, stream: () => new VirtualSocket(network) as never };
        return sessionOf(await connect('', address, credentials, options, own));
      },
    },
    async seed(database) {
      serverOf(database).commit(({ roles }) => roles.set(username, { login: true, password, superuser: false }));
    },
    async strike(database, damage) {
      const { content } = serverOf(database);
      if (damage === 'heap-page') content.pages.set('stocker.stock_movement', 'heap');
      else if (damage === 'index-page') content.pages.set('stocker.stock_movement_pkey', 'index');
      else serverOf(database).commit(changes[damage]);
    },
    async write(database) {
      serverOf(database).write(username, password, 1);
    },
    kill: (database) => serverOf(database).lose(),
    close: () => engine.close(),
  };
}

/** Each shows the same of itself. */
export const engines = [
  { name: 'real PostgreSQL', open: openReal },
  { name: 'the modelled PostgreSQL', open: openModel },
];

/** What `pg` takes for a socket: one end of a connection in the virtual network, opened by port. */
class VirtualSocket extends End {
  readonly #network: VirtualNetwork;

  constructor(network: VirtualNetwork) {
    super();
    this.#network = network;
  }

  connect(port: number): this {
    queueMicrotask(() => {
      try {
        this.#network.connect(port, this);
        this.emit('connect');
      } catch (error) {
        this.destroy(error as Error);
      }
    });
    return this;
  }
}
