/** One modelled database: who may log in, who is there, what is committed. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { Clock } from '../kernel.ts';
import { type Content, type Entry, type Movement, SqlError } from './content.ts';
import { type Replication, Retained } from './replication.ts';
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
  transaction: 'I' | 'T';
  readonly user: string;
  terminate(error: SqlError): void;
}

/** Where modelled databases accept streams. */
export interface StreamNetwork {
  listenToStreams(accept: (stream: ByteStream) => void, port?: number): { readonly port: number; close(): void };
}

export class ModelledServer implements Backend {
  readonly port: number;
  /** Whom it follows: a replica takes no writes of its own. */
  following: Replication | undefined;
  /** Its replicas. */
  readonly followers = new Set<Replication>();
  /** Transactions in the log before the next one; a copy begins with its source's. */
  position = 0;
  /** Microseconds: when the newest transaction that it replayed was committed; undefined: it replayed none. */
  replayedAt: number | undefined;
  /** Microseconds. */
  startedAt = 0;
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
  readonly #retained = new Retained();
  readonly #content: Content;
  #last = 0;
  #transactions = 1000;

  constructor(clock: Clock, network: StreamNetwork, content: Content) {
    this.#clock = clock;
    this.#network = network;
    this.#content = content;
    const listening = network.listenToStreams(() => {});
    this.port = listening.port;
    listening.close();
  }

  /** Of a replica, with all that has reached it by now. */
  get content(): Content {
    this.following?.replay();
    return this.#content;
  }

  get running(): boolean {
    return this.#listening !== undefined;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  start(): void {
    if (!this.running) this.startedAt = this.tick();
    this.#listening ??= this.#network.listenToStreams((stream) => serve(stream, this), this.port);
    this.onChange();
  }

  /** Suddenly: what has not reached a replica yet does not. */
  stop(): void {
    this.following?.replay();
    for (const follower of this.followers) follower.replay();
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

  /** `at`, in microseconds, is the transaction's own. Throws SqlError on a replica. */
  commit(apply: Entry['apply']): number {
    if (this.following !== undefined)
      throw new SqlError('25006', 'cannot execute a statement that writes in a read-only transaction');
    const entry: Entry = { at: this.tick(), apply };
    this.#take(entry);
    this.onChange();
    return entry.at;
  }

  /** A transaction of its source. */
  replay(entry: Entry): void {
    this.#last = Math.max(this.#last, entry.at);
    this.replayedAt = entry.at;
    this.#take(entry);
  }

  #take(entry: Entry): void {
    entry.apply(this.#content, entry.at);
    if (this.log !== undefined) {
      this.log.entries.push(entry);
      this.log.upTo = entry.at;
    }
    if (this.followers.size > 0) this.#retained.add(this.position, entry);
    else this.#retained.clear();
    this.position++;
  }

  /** What a replica that has come so far replays next; undefined: there is nothing yet. */
  entryAt(position: number): Entry | undefined {
    return this.#retained.at(position);
  }

  /** With what it has, it becomes a server of its own. */
  promote(): void {
    this.following?.end();
    this.following = undefined;
    this.onChange();
  }

  /**
   * Whether somebody may write as this role: a login is admitted now, or was since the server started, and its session may
   * still be there. What ends sessions of a role closes it to logins, too.
   */
  mayWrite(user: string): boolean {
    const role = this.content.roles.get(user);
    if (!this.running || !role?.login) return false;
    return role.validUntil === undefined || role.validUntil > this.startedAt;
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
    let byIndex = false;
    const session: Session = {
      user,
      transaction: 'I',
      query: (sql, parameters) => {
        if (/^\s*begin\b/i.test(sql)) session.transaction = 'T';
        if (/^\s*(commit|rollback)\s*;?\s*$/i.test(sql)) session.transaction = 'I';
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
    const isOver = role?.validUntil !== undefined && role.validUntil < this.#clock.now() * 1000;
    // PostgreSQL tells the client no difference: its log does.
    if (role === undefined || isOver || !isPassword(role.password, password))
      throw new SqlError('28P01', `password authentication failed for user "${user}"`);
    if (!role.login) throw new SqlError('28000', `role "${user}" is not permitted to log in`);
  }
}

const known = new Map<string, boolean>();

/**
 * By the verifier of RFC 5802; computed once for a verifier and a password, because it is slow on purpose. Functions on the
 * virtual clock derive with one iteration, and say what they were asked for.
 */
function isPassword(stored: string, given: string): boolean {
  const [, iterations, salt = '', storedKey] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):/.exec(stored) ?? [];
  if (iterations === undefined) return stored === given;
  const key = `${stored} ${given}`;
  let matches = known.get(key);
  if (matches === undefined) {
    matches = [1, Number(iterations)].some(
      (each) => storedKeyOf(given, Buffer.from(salt, 'base64'), each) === storedKey,
    );
    if (known.size > 10_000) known.clear();
    known.set(key, matches);
  }
  return matches;
}

function storedKeyOf(password: string, salt: Buffer, iterations: number): string {
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  return createHash('sha256').update(clientKey).digest('base64');
}
