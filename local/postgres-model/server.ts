/** One modelled database: who may log in, who is there, what is committed. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { Clock } from '../kernel.ts';
import { type Content, type Entry, type Movement, SqlError } from './content.ts';
import { answer } from './statements.ts';
import { type Backend, type ByteStream, type SessionHandler, serve } from './wire.ts';

/** The log of one database, as far as it was archived: it survives the database. */
export class Log {
  readonly entries: Entry[] = [];
  /** Microseconds of the last moment that it covers. */
  upTo = 0;
  /** Entries from here on are missing: a segment was lost or is damaged. */
  gapAt: number | undefined;
}

interface Session extends SessionHandler {
  readonly user: string;
  terminate(error: SqlError): void;
}

/** Where modelled databases accept streams. */
export interface StreamNetwork {
  listenToStreams(accept: (stream: ByteStream) => void, port?: number): { readonly port: number; close(): void };
}

export class ModelledServer implements Backend {
  readonly port: number;
  readonly content: Content;
  /** Undefined: no automated backups. */
  log: Log | undefined;
  /** Told of every change that matters to who may write. */
  onChange: () => void = () => {};
  /** Told when the server dies without having been told to. */
  onCrash: () => void = () => {};
  /** The time that it was restored to, or that of its backup; undefined: it was made empty. */
  restoredTo: string | 'backup' | undefined;
  /** Its disk is gone: it starts no more. */
  lost = false;
  readonly #clock: Clock;
  readonly #network: StreamNetwork;
  readonly #sessions = new Set<Session>();
  #listening: { close(): void } | undefined;
  #last = 0;
  #transactions = 1000;

  constructor(clock: Clock, network: StreamNetwork, content: Content) {
    this.#clock = clock;
    this.#network = network;
    this.content = content;
    const listening = network.listenToStreams(() => {});
    this.port = listening.port;
    listening.close();
  }

  get running(): boolean {
    return this.#listening !== undefined;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  start(): void {
    this.#listening ??= this.#network.listenToStreams((stream) => serve(stream, this), this.port);
    this.onChange();
  }

  stop(): void {
    this.#listening?.close();
    this.#listening = undefined;
    this.terminate(() => true, new SqlError('57P01', 'terminating connection due to administrator command'));
    this.onChange();
  }

  /** kill -9 with the volume gone; everything that was acknowledged is in the log. */
  lose(): void {
    this.lost = true;
    this.stop();
    this.onCrash();
  }

  /** Ends sessions; answers how many. */
  terminate(
    which: (user: string) => boolean,
    error = new SqlError('57P01', 'terminating connection due to administrator command'),
  ): number {
    const ended = [...this.#sessions].filter(({ user }) => which(user));
    for (const session of ended) session.terminate(error);
    return ended.length;
  }

  /** Now, in microseconds, later than every commit before. */
  tick(): number {
    this.#last = Math.max(this.#last + 1, Math.round(this.#clock.now()) * 1000);
    return this.#last;
  }

  nextTransaction(): number {
    return ++this.#transactions;
  }

  /** `at`, in microseconds, is the transaction's own. */
  commit(apply: Entry['apply']): number {
    const entry: Entry = { at: this.tick(), apply };
    apply(this.content, entry.at);
    this.log?.entries.push(entry);
    if (this.log !== undefined) this.log.upTo = entry.at;
    this.onChange();
    return entry.at;
  }

  /** Whether a login with this password would be let in. */
  accepts(user: string, password: string): boolean {
    try {
      this.#admit(user, password);
      return true;
    } catch {
      return false;
    }
  }

  /** A write of the application, as one transaction of its own session. Throws SqlError as PostgreSQL would. */
  write(user: string, password: string, quantity: number): Movement {
    this.#admit(user, password);
    const table = 'stocker.stock_movement';
    if (this.content.dropped.has(table)) throw new SqlError('42P01', `relation "${table}" does not exist`);
    const { content } = this;
    const id = content.lastMovement + 1;
    const at = this.commit((into, when) => {
      into.lastMovement = id;
      into.movements.push({ id, quantity, at: when });
    });
    return { id, quantity, at };
  }

  login(user: string, password: string): SessionHandler {
    this.#admit(user, password);
    let end: (error: SqlError) => void = () => {};
    let inTransaction = false;
    let byIndex = false;
    const session: Session = {
      user,
      get transaction() {
        return inTransaction ? 'T' : 'I';
      },
      query: (sql, parameters) => {
        if (/^\s*begin\b/i.test(sql)) inTransaction = true;
        if (/^\s*(commit|rollback)\s*;?\s*$/i.test(sql)) inTransaction = false;
        if (/^\s*(begin|commit|rollback)\b/i.test(sql)) byIndex = false;
        if (/^\s*set local enable_seqscan = off\b/i.test(sql)) byIndex = true;
        return answer({ server: this, user: session.user, sql, parameters, byIndex });
      },
      onEnd(callback) {
        end = callback;
      },
      close: () => void this.#sessions.delete(session),
      terminate: (error) => {
        this.#sessions.delete(session);
        end(error);
      },
    };
    this.#sessions.add(session);
    return session;
  }

  #admit(user: string, password: string): void {
    if (!this.running) throw new SqlError('57P03', 'the database system is not accepting connections');
    const role = this.content.roles.get(user);
    if (role === undefined || !isPassword(role.password, password))
      throw new SqlError('28P01', `password authentication failed for user "${user}"`);
    if (!role.login) throw new SqlError('28000', `role "${user}" is not permitted to log in`);
  }
}

const known = new Map<string, boolean>();

/** By the verifier of RFC 5802; computed once for a verifier and a password, because it is slow on purpose. */
function isPassword(stored: string, given: string): boolean {
  const [, iterations, salt, storedKey] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):/.exec(stored) ?? [];
  if (iterations === undefined || salt === undefined) return stored === given;
  const key = `${stored} ${given}`;
  let matches = known.get(key);
  if (matches === undefined) {
    const salted = pbkdf2Sync(given.normalize('NFKC'), Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
    const clientKey = createHmac('sha256', salted).update('Client Key').digest();
    matches = createHash('sha256').update(clientKey).digest('base64') === storedKey;
    if (known.size > 10_000) known.clear();
    known.set(key, matches);
  }
  return matches;
}
