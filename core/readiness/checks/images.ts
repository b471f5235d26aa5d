/** Whatever runs can be pulled in the DR Region, by digest. */
import { within } from '../answer.ts';
import { defineCheck, judgeFlaws, notReady } from '../check.ts';

export const images = defineCheck({
  name: 'images',
  title: 'The DR Region lacks an image that runs in production, or does not know what runs there',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: ({ images: source }) => within(source, (answer) => answer),
  judge: ({ export: exported, checked, missing }, { run }) => {
    if (exported === null)
      return notReady(`no export of the cluster has come to ${run.region}: nobody knows what runs`);
    return judgeFlaws(
      missing.map((image) => `${run.region} has not got ${image}`),
      `${checked} images of the export ${exported.run} are there`,
      { evidence: { export: exported, checked, missing } },
    );
  },
});
