/** The keys of the database, its backups and the topics can be used. A key that is disabled stops replication silently (aws-facts). */
import { within } from '../answer.ts';
import { type CheckContext, defineCheck, judgeFlaws } from '../check.ts';

type Keys = readonly { readonly use: string; readonly key: string; readonly state: string }[];

const judge = (keys: Keys, region: string) =>
  judgeFlaws(
    keys
      .filter(({ state }) => state !== 'Enabled')
      .map(({ use, key, state }) => `the key of ${use} (${key}) is ${state}`),
    `${keys.length} keys in ${region} are enabled`,
    { evidence: { keys } },
  );

export const keys = defineCheck({
  name: 'keys',
  title: 'An encryption key in the Region of production cannot be used',
  dependsOn: 'primary',
  scenarios: ['database'],
  facts: ({ keys: source }) => within(source, ({ active }) => active),
  judge: (found, { run }: CheckContext) => judge(found, run.activeRegion),
});

export const keysStandby = defineCheck({
  name: 'keys-standby',
  title: 'An encryption key in the DR Region cannot be used',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: ({ keys: source }) => within(source, ({ standby }) => standby),
  judge: (found, { run }: CheckContext) => judge(found, run.region),
});
