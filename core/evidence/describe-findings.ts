/** What a piece of validation checked, in words: how many tables, pages and rows, not only that they passed. */
import * as z from 'zod';

/** One thing that a piece looked at, as run-check leaves it on the timeline. */
export const CheckedItem = z.object({
  subject: z.string(),
  reason: z.string().optional(),
  facts: z.object({ rows: z.string().optional() }).optional(),
});
export type CheckedItem = z.infer<typeof CheckedItem>;

/** What the items of each check are, and what its passing says about them. */
const checks: Readonly<Record<string, readonly [things: string, found: string]>> = {
  'row-floors': ['tables', 'none below the floor of its baseline'],
  sequences: ['sequences', 'none behind its column'],
  'foreign-key': ['foreign keys', 'every row finds the one it refers to'],
  query: ['queries', 'each with the expected answer'],
  'heap-scan': ['tables', 'every page and row readable'],
  'heap-verify': ['tables', 'every page sound to amcheck'],
  'index-verify': ['indexes', 'structure and heap agree'],
  'cross-count': ['tables', 'as many rows by index as by scan'],
  'content-hash': ['tables', 'hashes as at the baseline'],
};

/** Undefined where the items tell nothing: the piece's own summary is all there is. */
export function describeFindings(
  check: string,
  items: readonly CheckedItem[],
): { readonly subject?: string; readonly reason?: string } {
  const [first, ...more] = items;
  if (!first) return {};
  const [things, found] = checks[check] ?? ['items', 'all as expected'];
  const blocks = sum(items.map(({ reason = '' }) => /^(\d+) blocks$/.exec(reason)?.[1]));
  const rows = sum(items.map(({ facts }) => facts?.rows));
  const counted = [...(blocks ? [`${blocks} pages`] : []), ...(rows ? [`${rows} rows`] : [])];
  if (more.length === 0) {
    const reason = blocks ? `${blocks} pages, ${found}` : first.reason;
    return { subject: first.subject, ...(reason === undefined ? {} : { reason }) };
  }
  return { subject: `${items.length} ${things}`, reason: [...counted, found].join(', ') };
}

/** Thousands apart; undefined where nothing was counted. Counts are text, for they exceed 2^53. */
function sum(counts: readonly (string | undefined)[]): string | undefined {
  const known = counts.flatMap((count) => (count !== undefined && /^\d+$/.test(count) ? [BigInt(count)] : []));
  return known.length === 0 ? undefined : known.reduce((a, b) => a + b).toLocaleString('en');
}
