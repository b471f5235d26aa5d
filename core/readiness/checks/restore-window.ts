/** Production can be restored to a moment as recent as the RPO demands, where it is and where it would be recovered to. */
import { formatSeconds, secondsBetween } from '../../incident/moments.ts';
import { within } from '../answer.ts';
import { type CheckContext, defineCheck, type Finding, notReady, ready } from '../check.ts';

interface Window {
  readonly earliest: string;
  readonly latest: string;
}

function judgeAge(window: Window | null, what: string, { settings, now }: CheckContext): Finding {
  if (window === null) return notReady(`${what} has no restore window`);
  const age = secondsBetween(window.latest, now);
  const { rpoSeconds } = settings.objectives;
  const said = `${what} can be restored to ${formatSeconds(age)} ago`;
  const evidence = { window, ageSeconds: age };
  return age <= rpoSeconds
    ? ready(said, { evidence })
    : notReady(`${said}; the RPO is ${formatSeconds(rpoSeconds)}`, { evidence });
}

export const restoreWindow = defineCheck({
  name: 'restore-window',
  title: 'Production cannot be restored to a moment within the RPO',
  dependsOn: 'primary',
  scenarios: ['database'],
  facts: ({ databases }) => within(databases, ({ active }) => active),
  judge: ({ status, window }, context) => {
    const { identifier } = context.run.database;
    return status === null ? notReady(`RDS knows no ${identifier}`) : judgeAge(window, identifier, context);
  },
});

export const restoreWindowStandby = defineCheck({
  name: 'restore-window-standby',
  title: 'Replicated automated backups are missing, have stopped, or lag beyond the RPO',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: ({ databases }) => within(databases, ({ standby }) => standby),
  exempt: ({ backup }) =>
    backup.regionProtection === 'replica'
      ? 'the configuration has a read replica instead (database.regionProtection)'
      : undefined,
  judge: ({ replicated }, context) => {
    if (replicated === null) return notReady(`no automated backups are replicated to ${context.run.region}`);
    // Stopped replication leaves its backups behind as `retained`: only this status says that it goes on (aws-facts).
    if (replicated.status !== 'replicating')
      return notReady(`the replication of automated backups is ${replicated.status}`, { evidence: replicated });
    return judgeAge(replicated.window, `the backup replicated to ${context.run.region}`, context);
  },
});
