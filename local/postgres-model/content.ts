/**
 * What a modelled database holds, as far as anybody asks: roles, heartbeats, tables by their rows, and what is wrong with
 * them. A change is an entry of its log, so that a copy of the content and the log after it give the content of any time.
 */

export interface Role {
  login: boolean;
  /** In plain text, or a SCRAM verifier. */
  password: string;
  readonly superuser: boolean;
  /** VALID UNTIL, in microseconds: past it no password is taken. Undefined: for ever. */
  validUntil?: number | undefined;
}

export interface Heartbeat {
  /** Microseconds since the epoch. */
  readonly at: number;
  readonly lsn: string;
  readonly xid: number;
}

/** A row of the table that only grows, beside those that were there from the start. */
export interface Movement {
  readonly id: number;
  readonly quantity: number;
  readonly at: number;
}

/** Damage of a disk: it is in no log, and in no copy that was made before. */
export type PageDamage = 'heap' | 'index' | 'zeroed';

export class Content {
  readonly roles = new Map<string, Role>();
  readonly heartbeats: Heartbeat[] = [];
  readonly movements: Movement[] = [];
  /** Whole relations that are gone. */
  readonly dropped = new Set<string>();
  /** Relations whose definition was changed. */
  readonly altered = new Set<string>();
  /** Rows that an application keeps equal by its own sums are not. */
  inconsistent = false;
  /** Rows that nobody rewrites were rewritten. */
  rewritten = false;
  /** By relation; only on this disk. */
  readonly pages = new Map<string, PageDamage>();
  /** The number of the last row of the table that only grows. */
  lastMovement: number;
  prepared: { readonly gid: string; readonly owner: string }[] = [];

  constructor(seededMovements: number) {
    this.lastMovement = seededMovements;
    this.seededMovements = seededMovements;
  }
  readonly seededMovements: number;

  /** As a backup holds it: damage of pages goes along, as bytes do. */
  copy(): Content {
    const copy = new Content(this.seededMovements);
    for (const [name, role] of this.roles) copy.roles.set(name, { ...role });
    copy.heartbeats.push(...this.heartbeats);
    copy.movements.push(...this.movements);
    for (const name of this.dropped) copy.dropped.add(name);
    for (const name of this.altered) copy.altered.add(name);
    for (const [name, kind] of this.pages) copy.pages.set(name, kind);
    copy.inconsistent = this.inconsistent;
    copy.rewritten = this.rewritten;
    copy.lastMovement = this.lastMovement;
    copy.prepared = [...this.prepared];
    return copy;
  }

  role(name: string): Role {
    const role = this.roles.get(name);
    if (role === undefined) throw new SqlError('42704', `role "${name}" does not exist`);
    return role;
  }
}

/** One transaction that was committed. */
export interface Entry {
  /** Microseconds since the epoch; grows strictly. */
  readonly at: number;
  readonly apply: (content: Content, at: number) => void;
}

/** An error as PostgreSQL reports it. */
export class SqlError extends Error {
  readonly sqlState: string;
  constructor(sqlState: string, message: string) {
    super(message);
    this.sqlState = sqlState;
  }
}

/** `2026-11-01T00:00:00.000001Z` */
export function momentOf(microseconds: number): string {
  const ms = Math.floor(microseconds / 1000);
  const rest = String(microseconds - ms * 1000).padStart(3, '0');
  return `${new Date(ms).toISOString().slice(0, -1)}${rest}Z`;
}

/** The microseconds of a moment as text, whatever its precision. */
export function microsecondsOf(moment: string): number {
  const fraction = /\.(\d{1,6})/.exec(moment)?.[1] ?? '';
  const whole = Date.parse(moment.replace(/\.\d+/, ''));
  return whole * 1000 + Number(fraction.padEnd(6, '0'));
}
