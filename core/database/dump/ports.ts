/** What restoring a logical dump needs from outside. */

export interface DumpFile {
  readonly name: string;
  /** For people: `s3://<bucket>/backups/<name>`. */
  readonly location: string;
  readonly bytes: number;
}

/** The plan's dumps of this Region: plain `pg_dump`, compressed by gzip. */
export interface Dumps {
  /** undefined: there is none of that name. */
  find(name: string): Promise<DumpFile | undefined>;
  /** The object as it is stored. */
  read(name: string): AsyncIterable<Uint8Array>;
}
