/** Uncompresses as it comes. gzip ends with a checksum and the length: what was cut off or changed on the way is found here. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

/** Throws what the source throws, or zlib's own error (`isGzipError`), at the end at the latest. */
export async function* gunzip(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unzipped = createGunzip({ chunkSize: 1 << 18 });
  const fed = pipeline(Readable.from(bytes), unzipped);
  // What goes wrong in the pipeline ends the loop below, too.
  fed.catch(() => {});
  yield* unzipped;
  await fed;
}

/** Z_DATA_ERROR: not gzip, or another checksum. Z_BUF_ERROR: cut off. */
export const isGzipError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^Z_(DATA|BUF)_ERROR$/.test(String(error.code));
