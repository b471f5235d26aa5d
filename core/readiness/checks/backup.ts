/** There is a good backup that is no older than a day and its lateness, in each Region. */
import { momentOfSnapshot } from '../../backup/names.ts';
import type { BackupSnapshot } from '../../backup/ports.ts';
import { flawsOf, type RetentionRules } from '../../backup/retention.ts';
import { formatSeconds, isBefore, secondsBetween } from '../../incident/moments.ts';
import { within } from '../answer.ts';
import { type CheckContext, defineCheck, type Finding, notReady, ready } from '../check.ts';
import type { Answer, Facts, FactsOf } from '../facts.ts';

const daySeconds = 86_400;

type Seen = Extract<FactsOf<'databases'>['standby'], { found: unknown }>['found']['snapshots'];

interface Backups {
  readonly snapshots: Seen;
  readonly proofs: RetentionRules['proofs'];
}

/** Without the records it is not known whether a drill could restore it: they say so on their own. */
const proofsIn = ({ records }: Facts): RetentionRules['proofs'] => {
  const active = within(records, (found) => found.active);
  return 'silent' in active ? [] : active.found.proofs;
};

const backupsOf = (facts: Facts, snapshots: Answer<{ readonly snapshots: Seen }>): Answer<Backups> =>
  within(snapshots, (found) => ({ found: { snapshots: found.snapshots, proofs: proofsIn(facts) } }));

function judgeNewest({ snapshots, proofs }: Backups, region: string, { settings, now }: CheckContext): Finding {
  const all = snapshots
    .map((each): BackupSnapshot => ({ ...each, resourceId: each.resourceId, keyArn: each.keyArn }))
    .toSorted((a, b) => (isBefore(takenAt(a), takenAt(b)) ? 1 : -1));
  // With which key is verified when a backup is made; whether that key can still be used, the keys' check says.
  const flaws = (each: BackupSnapshot) =>
    flawsOf(each, { environment: settings.environment, keyArns: each.keyArn ? [each.keyArn] : [], proofs });
  const good = all.find((each) => flaws(each).length === 0);
  const [newest] = all;
  if (newest === undefined) return notReady(`${region} holds no backup`);
  if (good === undefined)
    return notReady(`no backup in ${region} is good; ${newest.identifier}: ${flaws(newest).join(', ')}`);
  const age = secondsBetween(takenAt(good), now);
  const limit = daySeconds + settings.backup.lateSeconds;
  const evidence = { snapshot: good.identifier, ageSeconds: age };
  const said = `the newest good backup in ${region} is ${formatSeconds(age)} old`;
  return age <= limit ? ready(said, { evidence }) : notReady(`${said}; one is due every day`, { evidence });
}

const takenAt = ({ identifier }: { readonly identifier: string }) =>
  momentOfSnapshot(identifier) ?? '0000-01-01T00:00:00Z';

export const backup = defineCheck({
  name: 'backup',
  title: 'The Region of production holds no good backup of the last day',
  dependsOn: 'primary',
  scenarios: ['database'],
  facts: (facts) =>
    backupsOf(
      facts,
      within(facts.databases, ({ active }) => active),
    ),
  judge: (found, context) => judgeNewest(found, context.run.activeRegion, context),
});

export const backupStandby = defineCheck({
  name: 'backup-standby',
  title: 'The DR Region holds no good backup of the last day',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: (facts) =>
    backupsOf(
      facts,
      within(facts.databases, ({ standby }) => standby),
    ),
  judge: (found, context) => judgeNewest(found, context.run.region, context),
});
