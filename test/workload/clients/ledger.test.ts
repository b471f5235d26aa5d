import { expect, test } from 'vitest';
import { Ledger } from '../../../workload/clients/ledger.ts';

/** Writes a to j: each sent at 10, 20, … and acknowledged 5 ms later. */
const names = [...'abcdefghij'];
function ledger(): Ledger {
  const made = new Ledger();
  for (const [index, reference] of names.entries())
    made.entries.push({ reference, sentAt: (index + 1) * 10, acknowledgedAt: (index + 1) * 10 + 5 });
  return made;
}
/** The restore point lies between the acknowledgement of d (45) and the sending of h (80). */
const bounds = { notBefore: 50, notAfter: 79 };
const right = { missing: [], surplus: [], inverted: [] };

test.each([
  { case: 'up to the lower bound', present: 'abcd', newestPresent: 45 },
  { case: 'up to a point between the bounds', present: 'abcdef', newestPresent: 65 },
  { case: 'up to the upper bound', present: 'abcdefg', newestPresent: 75 },
])('accepts a copy that holds every write $case', ({ present, newestPresent }) => {
  expect(ledger().compare(new Set(present), bounds)).toEqual({
    ...right,
    provenPresent: 4,
    provenAbsent: 3,
    undetermined: 3,
    newestPresent,
  });
});

test.each([
  { case: 'a write from before the bounds is missing', present: 'abdef', found: { missing: ['c'], provenPresent: 3 } },
  { case: 'a write from after them is there', present: 'abcdefgi', found: { surplus: ['i'], provenAbsent: 2 } },
  { case: 'a later write is there and an earlier one is not', present: 'abcdf', found: { inverted: ['e'] } },
  { case: 'nothing is there', present: '', found: { missing: [...'abcd'], newestPresent: undefined } },
])('objects when $case', ({ present, found }) => {
  expect(ledger().compare(new Set(present), bounds)).toMatchObject(found);
});

test('two writes in flight at once may be there in either order', () => {
  const made = new Ledger();
  made.entries.push({ reference: 'slow', sentAt: 51, acknowledgedAt: 70 });
  made.entries.push({ reference: 'quick', sentAt: 52, acknowledgedAt: 55 });
  for (const reference of ['slow', 'quick'])
    expect(made.compare(new Set([reference]), bounds)).toMatchObject({ ...right, undetermined: 2 });
});

test('a write acknowledged in the very millisecond of the bound proves nothing', () => {
  const made = new Ledger();
  made.entries.push({ reference: 'edge', sentAt: 40, acknowledgedAt: 50 });
  expect(made.compare(new Set(), bounds)).toMatchObject({ ...right, undetermined: 1 });
});

test('a write that the database holds and nobody was told of is no matter of the ledger', () => {
  expect(ledger().compare(new Set('abcd?'), bounds)).toMatchObject({ ...right, provenPresent: 4 });
});
