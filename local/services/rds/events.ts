/** RDS events: on the default bus and in DescribeEvents. Ids, categories and messages as the User Guide lists them. */
import type { Home } from '../../kernel.ts';

const known = {
  'RDS-EVENT-0001': ['backup', 'Backing up DB instance'],
  'RDS-EVENT-0002': ['backup', 'Finished DB Instance backup'],
  'RDS-EVENT-0003': ['deletion', 'DB instance deleted'],
  'RDS-EVENT-0004': ['availability', 'DB instance shutdown'],
  'RDS-EVENT-0005': ['creation', 'DB instance created'],
  'RDS-EVENT-0006': ['availability', 'DB instance restarted'],
  'RDS-EVENT-0007': ['failure', 'DB instance storage has been exhausted. Allocate additional storage.'],
  'RDS-EVENT-0012': ['configuration change', 'Applying modification to database instance class'],
  'RDS-EVENT-0013': ['failover', 'Multi-AZ instance failover started.'],
  'RDS-EVENT-0014': ['configuration change', 'Finished applying modification to DB instance class'],
  'RDS-EVENT-0016': ['configuration change', 'Reset master credentials'],
  'RDS-EVENT-0017': ['configuration change', 'Finished applying modification to allocated storage'],
  'RDS-EVENT-0019': ['restoration', 'Restored from DB instance'],
  'RDS-EVENT-0025': ['configuration change', 'Finished applying modification to convert to a Multi-AZ DB instance'],
  'RDS-EVENT-0028': ['configuration change', 'Disabled automated backups'],
  'RDS-EVENT-0029': [
    'configuration change',
    'Finished applying modification to convert to a standard (Single-AZ) DB instance',
  ],
  'RDS-EVENT-0031': [
    'failure',
    'DB instance put into failed. RDS recommends that you initiate a point-in-time-restore.',
  ],
  'RDS-EVENT-0032': ['configuration change', 'Enabled automated backups'],
  'RDS-EVENT-0035': ['failure', 'Database instance put into incompatible-parameters.'],
  'RDS-EVENT-0040': ['creation', 'Creating manual snapshot'],
  'RDS-EVENT-0041': ['deletion', 'Deleted user snapshot'],
  'RDS-EVENT-0042': ['creation', 'Manual snapshot created'],
  'RDS-EVENT-0043': ['restoration', 'Restored from snapshot'],
  'RDS-EVENT-0045': ['read replica', 'Replication has stopped.'],
  'RDS-EVENT-0046': ['read replica', 'Replication for the Read Replica resumed'],
  'RDS-EVENT-0049': ['failover', 'Multi-AZ instance failover completed'],
  'RDS-EVENT-0057': ['read replica', 'Replication on the read replica was terminated.'],
  'RDS-EVENT-0059': ['notification', 'Started copy of snapshot'],
  'RDS-EVENT-0060': ['notification', 'Finished copy of snapshot'],
  'RDS-EVENT-0061': ['notification', 'Canceled snapshot copy request of'],
  'RDS-EVENT-0087': ['notification', 'DB instance stopped'],
  'RDS-EVENT-0088': ['notification', 'DB instance started'],
  'RDS-EVENT-0090': ['creation', 'Creating automated snapshot'],
  'RDS-EVENT-0091': ['creation', 'Automated snapshot created'],
  'RDS-EVENT-0190': ['notification', 'Canceled snapshot copy request of'],
  'RDS-EVENT-0196': ['notification', 'Started copy of snapshot'],
  'RDS-EVENT-0197': ['notification', 'Finished copy of snapshot'],
  'RDS-EVENT-0202': ['read replica', 'Read replica creation failed.'],
  'RDS-EVENT-0278': ['failure', 'The DB instance creation failed.'],
  'RDS-EVENT-0092': ['configuration change', 'Finished updating DB parameter group'],
} as const;

export type EventId = keyof typeof known;

export interface RecordedEvent {
  readonly SourceIdentifier: string;
  readonly SourceType: 'db-instance' | 'db-snapshot';
  readonly SourceArn: string;
  readonly Message: string;
  readonly EventCategories: readonly string[];
  readonly Date: Date;
}

/** DescribeEvents looks back 14 days. */
const keptMs = 14 * 24 * 3600 * 1000;

export class EventLog {
  readonly #home: Home;
  #events: RecordedEvent[] = [];

  constructor(home: Home) {
    this.#home = home;
  }

  get all(): readonly RecordedEvent[] {
    return this.#events;
  }

  add(id: EventId, type: RecordedEvent['SourceType'], identifier: string, arn: string, more = ''): void {
    const [category, text] = known[id];
    const now = this.#home.clock.now();
    const event: RecordedEvent = {
      SourceIdentifier: identifier,
      SourceType: type,
      SourceArn: arn,
      Message: text + more,
      EventCategories: [category],
      Date: new Date(now),
    };
    this.#events = [...this.#events.filter(({ Date: date }) => date.getTime() > now - keptMs), event];
    this.#home.emit({
      source: 'aws.rds',
      'detail-type': type === 'db-instance' ? 'RDS DB Instance Event' : 'RDS DB Snapshot Event',
      resources: [arn],
      detail: {
        EventCategories: [category],
        SourceType: type === 'db-instance' ? 'DB_INSTANCE' : 'SNAPSHOT',
        SourceArn: arn,
        Date: new Date(now).toISOString(),
        Message: event.Message,
        SourceIdentifier: identifier,
        EventID: id,
      },
    });
  }
}
