/** CheckDump: the plan's newest nightly dump is young enough and whole, read to its end. */
import { createHash } from 'node:crypto';
import { gunzip, isGzipError } from '../database/dump/gunzip.ts';
import { newestFirst } from '../database/dump/names.ts';
import { DumpBroken, readDump } from '../database/dump/read-dump.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { Clock } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { Outcome } from './contracts.ts';
import type { DumpFolder } from './ports.ts';

export interface CheckDumpContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly dumps: DumpFolder;
}

/**
 * Readable means: gzip's checksum and length hold, every statement ends, every block of rows ends, and pg_dump's last line
 * is there. Whether it restores is for the weekly proof, a drill with the newest dump as its restore point.
 */
export async function checkDump({ settings, clock, dumps }: CheckDumpContext): Promise<Outcome> {
  const known = newestFirst(await dumps.list());
  const [newest] = known;
  const outcome = (flaw: string | undefined, summary: string, facts: Outcome['facts']): Outcome => ({
    part: 'dump',
    verdict: flaw === undefined ? 'passed' : 'failed',
    summary: flaw ?? summary,
    facts: { kept: known.length, ...facts },
  });
  if (newest === undefined) return outcome(`there is no dump in ${dumps.location('')}`, '', {});
  const age = secondsBetween(newest.at, clock.now().toISOString());
  const content = await contentOf(dumps, newest.name);
  const facts = { dump: dumps.location(newest.name), ageSeconds: age, bytes: newest.bytes, ...content.facts };
  const old =
    age > settings.backup.dumpSeconds
      ? `the newest dump, ${newest.name}, is ${formatSeconds(age)} old; at most ${formatSeconds(settings.backup.dumpSeconds)} are allowed`
      : undefined;
  const broken = content.flaw && `${newest.name} is not whole: ${content.flaw}`;
  return outcome(
    [old, broken].filter(Boolean).join('; ') || undefined,
    `${newest.name} is whole and ${formatSeconds(age)} old: ${content.facts.rowBlocks} blocks of rows`,
    facts,
  );
}

async function contentOf(dumps: DumpFolder, name: string) {
  const hash = createHash('sha256');
  let statements = 0;
  let rowBlocks = 0;
  async function* hashed() {
    for await (const chunk of dumps.read(name)) {
      hash.update(chunk);
      yield chunk;
    }
  }
  try {
    for await (const item of readDump(gunzip(hashed()))) {
      if (item.kind === 'statement') statements += 1;
      else {
        rowBlocks += 1;
        for await (const _ of item.rows);
      }
    }
  } catch (error) {
    if (!(error instanceof DumpBroken) && !isGzipError(error)) throw error;
    return { flaw: (error as Error).message, facts: { statements, rowBlocks } };
  }
  return { flaw: undefined, facts: { statements, rowBlocks, sha256: hash.digest('hex') } };
}
