/** Splits a validation into pieces that each end within their limit. Pure. */
import type { Settings } from '../settings.ts';
import type { CheckName, Item, Piece, Tier } from './contracts.ts';

/** What there is to check, as the catalog of the restored copy lists it. Names are as PostgreSQL quotes them. */
export interface Catalog {
  readonly tables: readonly {
    readonly name: string;
    /** With its TOAST. */
    readonly bytes: number;
    readonly blocks: number;
    /** Size of the B-tree that a whole count can use instead of the heap; undefined where there is none. */
    readonly countIndexBytes: number | undefined;
  }[];
  /** Valid B-tree indexes. */
  readonly indexes: readonly { readonly name: string; readonly bytes: number; readonly tableBytes: number }[];
  readonly foreignKeys: readonly { readonly table: string; readonly constraint: string; readonly bytes: number }[];
  /** Columns that a sequence fills. */
  readonly sequences: readonly { readonly table: string; readonly column: string }[];
}

type ValidationSettings = Settings['validation'];

/** A piece is planned to use this share of its time: the planning figure is an average. */
const plannedShare = 0.8;
/** What a piece of a shared check holds at most, so that its result stays small in the state. */
const itemsPerPiece = 100;

/**
 * Bytes that a check handles, measured against a plain scan (postgres-facts: bt_index_parent_check with all options takes
 * 6.6 s for 1 GB where a content hash takes 1.4).
 */
const costFactors: Partial<Record<CheckName, number>> = { 'index-verify': 5, 'content-hash': 2, 'foreign-key': 2 };

interface Work {
  readonly item: Item;
  readonly bytes: number;
  /** Blocks of the heap, where the check can be cut by block ranges. */
  readonly blocks?: number;
}

export function planPieces(catalog: Catalog, settings: ValidationSettings, tier: Tier): Piece[] {
  const checks = Object.entries(tier === 'gate' ? gateWork(catalog, settings) : deepWork(catalog, settings));
  return checks.flatMap(([check, work]) => {
    const name = check as CheckName;
    const factor = (costFactors[name] ?? 1) / settings.scanBytesPerSecond;
    const cut = work.flatMap((each) => cutToSize(each, factor, settings.pieceSeconds));
    return pack(cut, settings.pieceSeconds).map((items, at) => ({ id: `${name}-${at + 1}`, tier, check: name, items }));
  });
}

/** Seconds of work in all, by the planning figure: what the gate's time box is compared with. */
export function estimateSeconds(catalog: Catalog, settings: ValidationSettings, tier: Tier): number {
  const checks = Object.entries(tier === 'gate' ? gateWork(catalog, settings) : deepWork(catalog, settings));
  const bytes = checks.map(([check, work]) => {
    const factor = costFactors[check as CheckName] ?? 1;
    return work.reduce((sum, each) => sum + each.bytes * factor, 0);
  });
  return bytes.reduce((sum, each) => sum + each, 0) / settings.scanBytesPerSecond;
}

type Plan = Partial<Record<CheckName, readonly Work[]>>;

/** What must be known before the application may use the copy. */
function gateWork({ tables, foreignKeys, sequences }: Catalog, settings: ValidationSettings): Plan {
  const heaps = tables
    .filter((table) => table.blocks > 0)
    .map(({ name, bytes, blocks }) => ({ item: { subject: name }, bytes, blocks }));
  const counted = tables.flatMap(({ name, bytes, countIndexBytes }) =>
    countIndexBytes === undefined ? [] : [{ item: { subject: name }, bytes: bytes + countIndexBytes }],
  );
  const sizeOf = (name: string) => tables.find((table) => table.name === name)?.bytes ?? 0;
  const once = (subject: string): Work[] => [{ item: { subject }, bytes: 0 }];
  return {
    connects: once('database'),
    'schema-version': once('schema'),
    'heartbeat-freshness': once('heartbeat'),
    'row-floors': Object.keys(settings.rowFloors).map((subject) => ({ item: { subject }, bytes: sizeOf(subject) })),
    sequences: sequences.map(({ table, column }) => ({ item: { subject: table, part: column }, bytes: 0 })),
    'foreign-key': foreignKeys.map((each) => ({
      item: { subject: each.table, part: each.constraint },
      bytes: each.bytes,
    })),
    query: settings.queries.map(({ name }) => ({ item: { subject: name }, bytes: 0 })),
    'heap-scan': heaps,
    'cross-count': counted,
    'heap-verify': heaps,
  };
}

/** What takes long, and finds what the gate cannot. */
function deepWork({ tables, indexes }: Catalog, settings: ValidationSettings): Plan {
  const sizeOf = (name: string) => tables.find((table) => table.name === name)?.bytes ?? 0;
  return {
    'index-verify': indexes.map(({ name, bytes, tableBytes }) => ({
      item: { subject: name },
      bytes: bytes + tableBytes,
    })),
    'content-hash': Object.keys(settings.appendOnly).map((subject) => ({ item: { subject }, bytes: sizeOf(subject) })),
  };
}

interface Sized {
  readonly item: Item;
  readonly seconds: number;
}

/** Cuts by block ranges where the check can be cut; what cannot and takes too long is marked and not begun. */
function cutToSize({ item, bytes, blocks }: Work, secondsPerByte: number, pieceSeconds: number): Sized[] {
  const seconds = bytes * secondsPerByte;
  if (blocks === undefined) {
    const tooLong = seconds > pieceSeconds;
    return [{ item: tooLong ? { ...item, tooLongSeconds: Math.ceil(seconds) } : item, seconds }];
  }
  const parts = Math.min(blocks, Math.max(1, Math.ceil(seconds / (pieceSeconds * plannedShare))));
  const size = Math.ceil(blocks / parts);
  return Array.from({ length: Math.ceil(blocks / size) }, (_, at) => ({
    item: { ...item, blocks: { from: at * size, to: Math.min(blocks, (at + 1) * size) } },
    seconds: seconds / parts,
  }));
}

/** Small items share a piece; order is kept, so that neighbouring ranges stay neighbours. */
function pack(work: readonly Sized[], pieceSeconds: number): Item[][] {
  const pieces: { items: Item[]; seconds: number }[] = [];
  for (const { item, seconds } of work) {
    const last = pieces.at(-1);
    const alone = item.tooLongSeconds !== undefined || last?.items[0]?.tooLongSeconds !== undefined;
    const fits = last && last.seconds + seconds <= pieceSeconds * plannedShare && last.items.length < itemsPerPiece;
    if (last && fits && !alone) {
      last.items.push(item);
      last.seconds += seconds;
    } else pieces.push({ items: [item], seconds });
  }
  return pieces.map((piece) => piece.items);
}

/** What a piece did not reach, as two pieces: each gets a whole piece's time for half of the work. */
export function halve(piece: Piece, rest: readonly Item[]): Piece[] {
  const [only] = rest;
  if (only === undefined) return [];
  const make = (suffix: number, items: readonly Item[]) => ({
    ...piece,
    id: `${piece.id}.${suffix}`,
    items: [...items],
  });
  if (rest.length > 1) {
    const middle = Math.ceil(rest.length / 2);
    return [make(1, rest.slice(0, middle)), make(2, rest.slice(middle))];
  }
  const { blocks } = only;
  if (blocks === undefined || blocks.to - blocks.from < 2) return [make(1, rest)];
  const middle = blocks.from + Math.ceil((blocks.to - blocks.from) / 2);
  return [
    make(1, [{ ...only, blocks: { from: blocks.from, to: middle } }]),
    make(2, [{ ...only, blocks: { from: middle, to: blocks.to } }]),
  ];
}
