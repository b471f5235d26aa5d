/** Names of the plan's dumps: `stocker-db-20261122-020000.sql.gz`. */
import { isBefore, isRealMoment } from '../../incident/moments.ts';

const shape = /^[A-Za-z0-9][A-Za-z0-9_.-]*-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)\.sql\.gz$/;

export const dumpExample = 'stocker-db-20261122-020000.sql.gz';

/**
 * The restore point that a dump's name tells: the UTC time at which pg_dump began, whose one snapshot is what it holds.
 * Undefined where this is no such name.
 */
export function momentOfDump(name: string): string | undefined {
  const [, year, month, day, hour, minute, second] = shape.exec(name) ?? [];
  const moment = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
  return isRealMoment(moment) ? moment : undefined;
}

/** The dumps among files, each with the moment that its name tells. */
export function newestFirst<F extends { readonly name: string }>(files: readonly F[]): (F & { readonly at: string })[] {
  return files
    .flatMap((file) => {
      const at = momentOfDump(file.name);
      return at === undefined ? [] : [{ ...file, at }];
    })
    .toSorted((a, b) => (isBefore(a.at, b.at) ? 1 : -1));
}
