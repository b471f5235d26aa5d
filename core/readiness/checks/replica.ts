/** The read replica follows production, is no further behind than the RPO, and will be believed when clients come. */
import { usableStatuses } from '../../database/source.ts';
import { formatSeconds, secondsBetween } from '../../incident/moments.ts';
import type { Settings } from '../../settings.ts';
import { within } from '../answer.ts';
import { defineCheck, notReady, ready } from '../check.ts';
import type { Answer } from '../facts.ts';

const exempt = ({ backup }: Settings) =>
  backup.regionProtection === 'replica'
    ? undefined
    : 'the configuration replicates automated backups instead (database.regionProtection)';

export const replication = defineCheck({
  name: 'replication',
  title: 'The read replica is missing, or has stopped following production',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: ({ databases }) => within(databases, ({ standby }) => standby),
  exempt,
  judge: ({ replica }, { run }) => {
    if (replica === null) return notReady(`${run.database.identifier} has no read replica in ${run.region}`);
    const { identifier, status, replication: state } = replica;
    const evidence = { ...replica };
    if (!usableStatuses.has(status)) return notReady(`${identifier} is ${status}`, { evidence });
    return state === 'replicating'
      ? ready(`${identifier} follows production`, { evidence })
      : notReady(`the replication of ${identifier} is in state ${state}`, { evidence });
  },
});

/** What is known of production's newest beat; its silence does not hide what the replica says. */
interface Lag {
  readonly replica: { readonly heartbeat: string | null } | null;
  readonly beat: Answer<{ readonly written: string | null }>;
}

export const replicaLag = defineCheck({
  name: 'replica-lag',
  title: 'The read replica is further behind production than the RPO',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: ({ replica, heartbeat }) =>
    within(replica, (answer) =>
      'silent' in answer
        ? answer
        : { found: { replica: answer.found, beat: within(heartbeat, (beats) => beats) } satisfies Lag },
    ),
  exempt,
  judge: ({ replica, beat }: Lag, { settings, now }) => {
    if (replica === null) return notReady('there is no replica to ask');
    const { heartbeat } = replica;
    if (heartbeat === null) return notReady('the replica holds no heartbeat');
    const { rpoSeconds } = settings.objectives;
    const age = Math.max(0, secondsBetween(heartbeat, now));
    const evidence = { heartbeat, ageSeconds: age };
    const limit = formatSeconds(rpoSeconds);
    if (age <= rpoSeconds) return ready(`the replica holds a heartbeat of ${formatSeconds(age)} ago`, { evidence });
    // An old heartbeat is lag only where production has beaten since: RDS's own ReplicaLag grows on an idle primary.
    if ('silent' in beat)
      return {
        verdict: 'unknown',
        reason: `the replica's newest heartbeat is ${formatSeconds(age)} old, and whether production has written since is unknown: ${beat.silent}`,
        evidence,
      };
    const lag = beat.found.written === null ? 0 : Math.max(0, secondsBetween(heartbeat, beat.found.written));
    return lag <= rpoSeconds
      ? ready(`the replica holds all that is known of production; its newest heartbeat is ${formatSeconds(age)} old`, {
          evidence: { ...evidence, lagSeconds: lag },
        })
      : notReady(`the replica is ${formatSeconds(lag)} behind; the RPO is ${limit}`, {
          evidence: { ...evidence, lagSeconds: lag },
        });
  },
});

/** RDS tells of an expiring authority months before; this long a team may need to let it be replaced. */
const noticeSeconds = 30 * 86_400;

export const certificateStandby = defineCheck({
  name: 'certificate-standby',
  title: 'The certificate of the read replica has expired, or does so within 30 days',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: ({ databases }) => within(databases, ({ standby }) => standby),
  exempt,
  judge: ({ replica }, { now }) => {
    if (replica === null) return { verdict: 'not-applicable', reason: 'there is no replica: replication says so' };
    const { identifier, certificateUntil: until } = replica;
    if (until === null) return { verdict: 'unknown', reason: `RDS does not say until when ${identifier}'s is valid` };
    const left = secondsBetween(now, until);
    const evidence = { identifier, until };
    if (left <= 0) return notReady(`the certificate of ${identifier} expired at ${until}`, { evidence });
    const said = `the certificate of ${identifier} is valid until ${until}`;
    return left > noticeSeconds ? ready(said, { evidence }) : notReady(`${said}: clients refuse it then`, { evidence });
  },
});
