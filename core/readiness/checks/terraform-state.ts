/** Terraform's states can be reached in the DR Region, with their versions, and so can Terraform. */
import { within } from '../answer.ts';
import { defineCheck, judgeFlaws } from '../check.ts';

export const terraformState = defineCheck({
  name: 'terraform-state',
  title: 'A Terraform state, or Terraform for the builds, is missing or unversioned in the DR Region',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: ({ terraform }) => within(terraform, (answer) => answer),
  judge: (states) =>
    judgeFlaws(
      states
        .filter(({ found }) => found !== 'versioned')
        .map(({ state, found }) => `${state} is ${found === 'absent' ? 'not there' : 'in a bucket without versions'}`),
      `${states.map(({ state }) => state).join(', ')}: there, with versions`,
      { evidence: { states } },
    ),
});
