/**
 * Writes with the application's own credentials to every instance within its reach that RDS lists, all the time, past
 * endpoints and records: whatever the recovery believes, never two databases may accept.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { paginateDescribeDBInstances, RDSClient } from '@aws-sdk/client-rds';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Client, DatabaseError } from 'pg';
import type { Connection } from '../infrastructure/provision.ts';

export interface ProberOptions {
  readonly connection: Connection;
  readonly regions: readonly string[];
  readonly database: string;
  /**
   * Groups that admit the application. An instance in none of them is out of its reach; the embedded cloud records groups
   * and lets everybody in.
   */
  readonly securityGroupIds: readonly string[];
  /** Secret with the application's login, in each of the Regions. */
  readonly secretName: string;
  /** PEM of the authority that signs the databases' certificates. */
  readonly authority: string;
  /** Rest between two writes to one instance. */
  readonly pauseMs: number;
  /** A product of the stand-in, of its own, so that it waits for no client's lock. */
  readonly productId: number;
}

/** A time in which every write was accepted. Epoch milliseconds of its first and last write, when sent and when acknowledged. */
export interface Accepted {
  readonly instance: string;
  readonly first: { readonly sentAt: number; readonly acknowledgedAt: number };
  readonly last: { readonly sentAt: number; readonly acknowledgedAt: number };
  readonly writes: number;
}

export interface Overlap {
  readonly instances: readonly [string, string];
  /** Epoch milliseconds between which both accepted. */
  readonly from: number;
  readonly until: number;
}

/** The times in which instances accepted writes: a refused write ends one. */
export class Acceptance {
  readonly intervals: Accepted[] = [];
  /** Writes that were refused or lost, by instance. */
  readonly refused = new Map<string, number>();
  readonly #open = new Map<string, number>();

  accept(instance: string, write: { sentAt: number; acknowledgedAt: number }): void {
    const open = this.#open.get(instance);
    const interval = open === undefined ? undefined : this.intervals[open];
    if (open === undefined || interval === undefined) {
      this.#open.set(instance, this.intervals.push({ instance, first: write, last: write, writes: 1 }) - 1);
      return;
    }
    this.intervals[open] = { ...interval, last: write, writes: interval.writes + 1 };
  }

  refuse(instance: string): void {
    this.#open.delete(instance);
    this.refused.set(instance, (this.refused.get(instance) ?? 0) + 1);
  }
}

/**
 * Where two instances accepted at the same time. A write is committed at a moment between its sending and its
 * acknowledgement: it counts only where they overlap whichever moments those were, so that a hand-over is none.
 */
export function overlaps(intervals: readonly Accepted[]): Overlap[] {
  return intervals.flatMap((one, index) =>
    intervals.slice(index + 1).flatMap((other): Overlap[] => {
      if (one.instance === other.instance) return [];
      const isProven = one.first.acknowledgedAt <= other.last.sentAt && other.first.acknowledgedAt <= one.last.sentAt;
      const from = Math.max(one.first.sentAt, other.first.sentAt);
      const until = Math.min(one.last.acknowledgedAt, other.last.acknowledgedAt);
      return isProven ? [{ instances: [one.instance, other.instance], from, until }] : [];
    }),
  );
}

export interface Prober {
  readonly acceptance: Acceptance;
  stop(): Promise<void>;
}

/** Starts to write; finds new instances by itself, and goes on through every refusal. */
export function startProber(options: ProberOptions): Prober {
  const acceptance = new Acceptance();
  const stopping = new AbortController();
  const { signal } = stopping;
  const targets = new Map<string, Target>();
  const writers: Promise<void>[] = [];
  // Once: to read the authority's certificate costs more than to connect.
  const trust = createSecureContext({ ca: options.authority });
  async function lookForInstances(region: string): Promise<void> {
    const rds = new RDSClient({ ...options.connection, region });
    const secrets = new SecretsManagerClient({ ...options.connection, region });
    while (!signal.aborted) {
      try {
        for (const instance of await listInstances(rds, options.securityGroupIds)) {
          const known = targets.get(instance.key);
          if (known?.hasSession) continue;
          const login = await readLogin(secrets, options.secretName);
          if (known) Object.assign(known, instance, login);
          else {
            const target: Target = { ...instance, ...login, hasSession: false };
            targets.set(instance.key, target);
            writers.push(writeUntilStopped(target, options, trust, acceptance, signal));
          }
        }
      } catch {
        // The control plane is not what is probed: what is known goes on being written to.
      }
      await rest(250, signal);
    }
  }
  const searches = options.regions.map(lookForInstances);
  return {
    acceptance,
    async stop() {
      stopping.abort();
      await Promise.all(searches);
      await Promise.all(writers);
    },
  };
}

interface Target {
  readonly key: string;
  readonly name: string;
  address: string;
  port: number;
  username: string;
  password: string;
  /** While it has one, what it would log in with is of no interest. */
  hasSession: boolean;
}

const rest = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => undefined);

async function readLogin(secrets: SecretsManagerClient, SecretId: string) {
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  return JSON.parse(SecretString ?? '{}') as { username: string; password: string };
}

/** A name may be taken again by another instance: the resource id tells them apart. */
async function listInstances(client: RDSClient, groups: readonly string[]) {
  const found: { key: string; name: string; address: string; port: number }[] = [];
  for await (const { DBInstances = [] } of paginateDescribeDBInstances({ client }, {}))
    for (const { DbiResourceId, DBInstanceIdentifier = '', Endpoint, VpcSecurityGroups = [] } of DBInstances) {
      const admits = VpcSecurityGroups.some(({ VpcSecurityGroupId = '' }) => groups.includes(VpcSecurityGroupId));
      if (admits && DbiResourceId && Endpoint?.Address && Endpoint.Port)
        found.push({ key: DbiResourceId, name: DBInstanceIdentifier, address: Endpoint.Address, port: Endpoint.Port });
    }
  return found;
}

const limitMs = 2000;

/** One session is kept as long as it lasts, through every statement that is refused: a fence must end it, and refuse the next. */
async function writeUntilStopped(
  target: Target,
  { database, pauseMs, productId }: ProberOptions,
  trust: SecureContext,
  acceptance: Acceptance,
  signal: AbortSignal,
): Promise<void> {
  const label = `${target.name} (${target.key})`;
  let session: Client | undefined;
  const leave = async () => {
    target.hasSession = false;
    await session?.end().catch(() => undefined);
    session = undefined;
  };
  for (let number = 1; !signal.aborted; number++) {
    try {
      session ??= await open(target, database, trust);
      target.hasSession = true;
      const sentAt = Date.now();
      const { rowCount } = await session.query(move, [productId, `prober:${number}`]);
      if (rowCount !== 1) throw new Error(`There is no stock of product ${productId}`);
      acceptance.accept(label, { sentAt, acknowledgedAt: Date.now() });
    } catch (error) {
      acceptance.refuse(label);
      if (!isReadOnly(error)) await leave();
    }
    await rest(pauseMs, signal);
  }
  await leave();
}

/** A standby's answer, in a session that goes on: 25006, read_only_sql_transaction. */
const isReadOnly = (error: unknown) => error instanceof DatabaseError && error.code === '25006';

/** A movement and its stock together: the data stays as consistent as the application keeps it. */
const move = `WITH changed AS (
    UPDATE stocker.stock SET quantity = quantity + 1 WHERE product_id = $1 AND warehouse_id = 1 RETURNING product_id)
  INSERT INTO stocker.stock_movement (product_id, warehouse_id, quantity, reason) SELECT product_id, 1, 1, $2 FROM changed`;

async function open(
  { address, port, username, password }: Target,
  database: string,
  secureContext: SecureContext,
): Promise<Client> {
  const session = new Client({
    host: address,
    port,
    user: username,
    password,
    database,
    ssl: { secureContext },
    connectionTimeoutMillis: limitMs,
    query_timeout: limitMs,
  });
  // A session that is ended from the other side says so at its next write.
  session.on('error', () => undefined);
  await session.connect();
  return session;
}
