/** The DR Region holds every secret, of the version that production uses: a replica that lags would lock a recovery out. */
import { both, within } from '../answer.ts';
import { defineCheck, judgeFlaws } from '../check.ts';

export const secrets = defineCheck({
  name: 'secrets',
  title: 'A secret is not the same in both Regions',
  dependsOn: 'primary',
  scenarios: ['region'],
  facts: ({ secrets: source }) => within(source, ({ active, standby }) => both(active, standby)),
  judge: ([active, standby]) => {
    // What is missing there is the other check's to say.
    const differing = Object.keys(active).filter((name) => standby[name] !== null && active[name] !== standby[name]);
    return judgeFlaws(
      differing.map((name) =>
        active[name] === null
          ? `${name} is missing where production is`
          : `${name} has another version in the DR Region`,
      ),
      `${Object.keys(active).length} secrets are the same in both Regions`,
      { evidence: { active, standby } },
    );
  },
});

export const secretsStandby = defineCheck({
  name: 'secrets-standby',
  title: 'The DR Region lacks a secret',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: ({ secrets: source }) => within(source, ({ standby }) => standby),
  judge: (standby, { run }) =>
    judgeFlaws(
      Object.keys(standby)
        .filter((name) => standby[name] === null)
        .map((name) => `${run.region} has no ${name}`),
      `${run.region} holds ${Object.keys(standby).length} secrets`,
      { evidence: { standby } },
    ),
});
