/** The account has room for one recovery. */
import { within } from '../answer.ts';
import { defineCheck, judgeFlaws } from '../check.ts';

type Quotas = readonly {
  readonly quota: string;
  readonly limit: number;
  readonly used: number;
  readonly needed: number;
}[];

const judge = (quotas: Quotas, region: string) =>
  judgeFlaws(
    quotas
      .filter(({ limit, used, needed }) => limit - used < needed)
      .map(
        ({ quota, limit, used, needed }) =>
          `${quota} in ${region}: ${used} of ${limit} used, a recovery needs ${needed}`,
      ),
    `${quotas.length} quotas in ${region} leave room for a recovery`,
    { evidence: { quotas } },
  );

export const quotas = defineCheck({
  name: 'quotas',
  title: 'A quota leaves no room for a recovery where production is',
  dependsOn: 'primary',
  scenarios: ['database'],
  facts: ({ quotas: source }) => within(source, ({ active }) => active),
  judge: (found, { run }) => judge(found, run.activeRegion),
});

export const quotasStandby = defineCheck({
  name: 'quotas-standby',
  title: 'A quota leaves no room for a recovery in the DR Region',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: ({ quotas: source }) => within(source, ({ standby }) => standby),
  judge: (found, { run }) => judge(found, run.region),
});
