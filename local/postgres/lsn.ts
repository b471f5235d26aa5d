/** Positions in the write-ahead log: an LSN is a byte address, written `16/B374D848`. */

export function parseLsn(text: string): bigint {
  const match = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text);
  if (match === null) throw new TypeError(`Not an LSN: ${text}`);
  return (BigInt(`0x${match[1]}`) << 32n) + BigInt(`0x${match[2]}`);
}

export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;
}

/** The name of the segment file that holds the byte at `lsn`: timeline, high and low part, eight hexadecimal digits each. */
export function segmentName(timeline: number, lsn: bigint, segmentBytes: number): string {
  const size = BigInt(segmentBytes);
  const perHighPart = 0x1_0000_0000n / size;
  const number = lsn / size;
  return [BigInt(timeline), number / perHighPart, number % perHighPart]
    .map((part) => part.toString(16).toUpperCase().padStart(8, '0'))
    .join('');
}

/** Where the segment of that file name begins. */
export function segmentStart(name: string, segmentBytes: number): bigint {
  const size = BigInt(segmentBytes);
  const perHighPart = 0x1_0000_0000n / size;
  return (BigInt(`0x${name.slice(8, 16)}`) * perHighPart + BigInt(`0x${name.slice(16, 24)}`)) * size;
}
