/** The recovery may work in the DR Region's cluster. Whether anything runs there is not asked here. */
import { within } from '../answer.ts';
import { defineCheck, notReady, ready } from '../check.ts';

/** Kubernetes decides whether one may before it looks whether it is there. */
const isAdmitted = (status: number) => status === 200 || status === 404;

export const clusterAccess = defineCheck({
  name: 'cluster-access',
  title: 'The cluster in the DR Region is not active, or does not admit the recovery',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: ({ cluster }) => within(cluster, (answer) => answer),
  judge: ({ status, answer }, { run, settings }) => {
    const { cluster } = settings.application.deployment;
    const evidence = { status, answer };
    if (status === null) return notReady(`${run.region} has no cluster ${cluster}`, { evidence });
    if (status !== 'ACTIVE') return notReady(`${cluster} is ${status}`, { evidence });
    if (answer === null) return notReady(`the Kubernetes API of ${cluster} does not answer`, { evidence });
    return isAdmitted(answer)
      ? ready(`${cluster} is active and admits the recovery`, { evidence })
      : notReady(`the Kubernetes API of ${cluster} answers ${answer}`, { evidence });
  },
});
