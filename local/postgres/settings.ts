/** What every cluster of the embedded cloud runs with, and how settings become postgresql.conf. */

/** PostgreSQL parameters by name, values as postgresql.conf takes them. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** 1 MB (initdb's smallest) instead of 16: switching and padding segments is most of the cost of a small restore. */
export const segmentBytes = 1024 * 1024;

/** Settings that the cloud owns. */
export const cloudSettings: Settings = {
  listen_addresses: '127.0.0.1',
  password_encryption: 'scram-sha-256',
  wal_level: 'replica',
  max_wal_senders: 10,
  max_replication_slots: 10,
  // A killed process loses nothing without fsync: what it wrote is in the kernel's page cache, and write() precedes
  // every acknowledgement because synchronous_commit stays on. Only a crash of this machine could lose data.
  fsync: false,
  full_page_writes: true,
  // A killed postgres would leak POSIX shared memory.
  dynamic_shared_memory_type: 'mmap',
  min_wal_size: '8MB',
  max_wal_size: '256MB',
  // A standby that fails to connect waits this long: the default of 5 s stalled promotions right after a kill.
  wal_retrieve_retry_interval: '100ms',
  // The fifth field is the SQLSTATE: without it, why a recovery refused cannot be told from its log.
  log_line_prefix: '%m:%r:%u@%d:[%p]:%e:',
  log_timezone: 'UTC',
  logging_collector: false,
  lc_messages: 'C',
};

export function formatSettings(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${formatValue(value).replaceAll("'", "''")}'\n`)
    .join('');
}

function formatValue(value: string | number | boolean): string {
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
}
