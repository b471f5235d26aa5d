import { describe, expect, test } from 'vitest';
import { formatLsn, parseLsn, segmentName, segmentStart } from '../../../local/postgres/lsn.ts';

describe('a position in the write-ahead log', () => {
  test.each(['0/0', '0/1A2B3C', '16/B374D848', 'FFFFFFFF/FFFFFFFF'])('%s is read and written alike', (text) => {
    expect(formatLsn(parseLsn(text))).toBe(text);
  });

  test.each(['', '0', '0/G', '0/1 ', '123456789/0'])('"%s" is refused', (text) => {
    expect(() => parseLsn(text)).toThrow(TypeError);
  });

  // As pg_walfile_name answers.
  test.each([
    { lsn: '0/1000000', size: 16, name: '000000010000000000000001' },
    { lsn: '0/1000000', size: 1, name: '000000010000000000000010' },
    { lsn: '1/0', size: 1, name: '000000010000000100000000' },
    { lsn: '16/B374D848', size: 16, name: '0000000100000016000000B3' },
  ])('$lsn lies in $name with segments of $size MB', ({ lsn, size, name }) => {
    const bytes = size * 1024 * 1024;
    expect(segmentName(1, parseLsn(lsn), bytes)).toBe(name);
    expect(segmentStart(name, bytes)).toBe(parseLsn(lsn) - (parseLsn(lsn) % BigInt(bytes)));
  });
});
