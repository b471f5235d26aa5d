/** What may be wrong with the database, its copies and its backups. */
import { ago, long } from '../facts.ts';
import { type Fault, found } from './fault.ts';

export const databaseFaults: readonly Fault[] = [
  {
    check: 'restore-window',
    fault: 'the window stands still beyond the RPO',
    says: /restored to 20 min 00 s ago; the RPO is 15 min/,
    spoil: ({ databases }) => {
      found(databases.active).window.latest = ago(1200);
    },
  },
  {
    check: 'restore-window',
    fault: 'there is no window',
    says: /no restore window/,
    spoil: ({ databases }) => {
      found(databases.active).window = null;
    },
  },
  {
    check: 'restore-window',
    fault: 'the instance is gone',
    says: /RDS knows no/,
    spoil: ({ databases }) => {
      found(databases.active).status = null;
    },
  },
  {
    check: 'restore-window-standby',
    fault: 'no backups are replicated',
    in: 'staging',
    says: /no automated backups are replicated to us-west-2/,
    spoil: ({ databases }) => {
      found(databases.standby).replicated = null;
    },
  },
  {
    check: 'restore-window-standby',
    fault: 'replication has stopped and left its backups',
    in: 'staging',
    says: /is retained/,
    spoil: ({ databases }) => {
      found(databases.standby).replicated.status = 'retained';
    },
  },
  {
    check: 'restore-window-standby',
    fault: 'the replicated window lags beyond the RPO',
    in: 'staging',
    says: /2 h 00 min ago; the RPO is 1 h/,
    spoil: ({ databases }) => {
      found(databases.standby).replicated.window.latest = ago(7200);
    },
  },
  {
    check: 'replication',
    fault: 'there is no replica',
    says: /no read replica in us-west-2/,
    void: 'certificate-standby',
    spoil: ({ databases }) => {
      found(databases.standby).replica = null;
    },
  },
  {
    check: 'replication',
    fault: 'the replica is being made',
    says: /is creating/,
    spoil: ({ databases }) => {
      found(databases.standby).replica.status = 'creating';
    },
  },
  {
    check: 'replication',
    fault: 'replication has stopped',
    says: /in state error/,
    spoil: ({ databases }) => {
      found(databases.standby).replica.replication = 'error';
    },
  },
  {
    check: 'replication',
    fault: 'the replica is down',
    says: /is storage-full/,
    spoil: ({ databases }) => {
      found(databases.standby).replica.status = 'storage-full';
    },
  },
  {
    check: 'replica-lag',
    fault: 'production has beaten, and the replica has not seen it',
    says: /is 59 min 00 s behind; the RPO is 15 min/,
    spoil: ({ replica }) => {
      found(replica).heartbeat = ago(3600);
    },
  },
  {
    check: 'replica-lag',
    fault: 'the replica holds no heartbeat',
    says: /no heartbeat/,
    spoil: ({ replica }) => {
      found(replica).heartbeat = null;
    },
  },
  {
    check: 'certificate-standby',
    fault: 'it expires in three weeks',
    says: /is valid until 2026-12-19T12:00:00.000Z: clients refuse it then/,
    spoil: ({ databases }) => {
      found(databases.standby).replica.certificateUntil = ago(-21 * 86_400);
    },
  },
  {
    check: 'certificate-standby',
    fault: 'it has expired',
    says: /expired at/,
    spoil: ({ databases }) => {
      found(databases.standby).replica.certificateUntil = ago(60);
    },
  },
  {
    check: 'backup',
    fault: 'there is none',
    says: /us-east-1 holds no backup/,
    spoil: ({ databases }) => {
      found(databases.active).snapshots = [];
    },
  },
  {
    check: 'backup',
    fault: 'it is of the day before yesterday',
    says: /58 h 00 min old; one is due every day/,
    spoil: ({ databases }) => {
      const [newest] = found(databases.active).snapshots;
      newest.identifier = newest.identifier.replace('20261128', '20261126');
    },
  },
  {
    check: 'backup-standby',
    fault: 'the copy is not encrypted',
    says: /no backup in us-west-2 is good.*not encrypted/,
    spoil: ({ databases }) => {
      found(databases.standby).snapshots[0].encrypted = false;
    },
  },
  {
    check: 'backup-standby',
    fault: 'somebody made a snapshot of that name',
    says: /belongs to no environment/,
    spoil: ({ databases }) => {
      found(databases.standby).snapshots[0].tags = {};
    },
  },
  {
    check: 'heartbeat',
    fault: 'it has stopped',
    says: /is 10 min 00 s old/,
    spoil: ({ heartbeat }) => void Object.assign(found(heartbeat), { newest: ago(600), written: ago(600) }),
  },
  {
    check: 'heartbeat',
    fault: 'the newest one failed',
    says: /failed/,
    spoil: ({ heartbeat }) => {
      found(heartbeat).failed = true;
    },
  },
  {
    check: 'heartbeat',
    fault: 'there is none',
    says: /no heartbeat/,
    spoil: ({ heartbeat }) => void Object.assign(found(heartbeat), { newest: null, written: null }),
  },
  {
    check: 'tenure',
    fault: 'the guard has not renewed it for longer than three of its looks',
    in: 'strict',
    says: /was last renewed 3 min 01 s ago/,
    spoil: ({ records }) => {
      found(found(records.tenure).remembered).renewedAt = ago(181);
    },
  },
  {
    check: 'tenure',
    fault: 'nobody has ever renewed it',
    in: 'strict',
    says: /nobody has ever renewed the tenure of us-east-1/,
    spoil: ({ records }) => {
      found(records.tenure).held.found = null;
    },
  },
  {
    check: 'tenure',
    fault: 'it was ended before it was ever renewed',
    in: 'strict',
    says: /nobody has ever renewed/,
    spoil: ({ records }) => {
      found(found(records.tenure).held).renewedAt = null;
    },
  },
  {
    check: 'tenure',
    fault: 'a failover has ended it',
    in: 'strict',
    says: /arn:failover has ended the tenure of us-east-1/,
    spoil: ({ records }) => {
      found(found(records.tenure).held).endedBy = 'arn:failover';
    },
  },
  {
    check: 'tenure',
    fault: 'the guard remembers no renewal',
    in: 'strict',
    says: /would never fence production/,
    spoil: ({ records }) => {
      found(records.tenure).remembered.found = null;
    },
  },
  {
    check: 'tenure',
    fault: 'the guard would go on for longer than a failover waits',
    in: 'strict',
    says: /a failover would not wait long enough/,
    spoil: ({ records }) => {
      found(found(records.tenure).held).renewedAt = ago(60);
    },
  },
  {
    check: 'tenure',
    fault: 'production was closed at the end of its tenure',
    in: 'strict',
    says: /has closed stocker-pro-production, and not opened it yet/,
    spoil: ({ records }) => {
      found(found(records.tenure).remembered).fenced = ['stocker-pro-production'];
    },
  },
  {
    check: 'profile',
    fault: 'the DR Region has none',
    says: /holds no profile/,
    spoil: ({ records }) => {
      found(records.standby).profileAt = null;
    },
  },
  {
    check: 'profile',
    fault: 'it is of days ago',
    says: /has not seen production sound since/,
    spoil: ({ records }) => {
      found(records.standby).profileAt = long;
    },
  },
  {
    check: 'reach',
    fault: 'the database has never answered the DR Region',
    says: /us-west-2 has not reached stocker-pro-production in us-east-1 once/,
    spoil: ({ records }) => {
      found(records.standby).look.reachedAt = null;
    },
  },
  {
    check: 'reach',
    fault: 'nobody has looked',
    says: /nobody in us-west-2 has looked at production in us-east-1 yet/,
    spoil: ({ records }) => {
      found(records.standby).look = null;
    },
  },
  {
    check: 'reach',
    fault: 'nobody has looked since production came here',
    says: /nobody in us-west-2 has looked/,
    spoil: ({ records }) => {
      found(records.standby).look.region = 'eu-west-1';
    },
  },
];
