/** Clients that are led to the DR Region are shown a certificate that they accept, today and for a while. */
import { secondsBetween } from '../../incident/moments.ts';
import { within } from '../answer.ts';
import { defineCheck, notReady, ready } from '../check.ts';

const daySeconds = 86_400;
/** AWS Certificate Manager renews 60 days before the end; what is not renewed by then has failed to be. */
const noticeDays = 30;

export const certificateEndpoint = defineCheck({
  name: 'certificate-endpoint',
  title: 'Clients refuse the certificate of the application in the DR Region, or will within 30 days',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: ({ endpoint }) => within(endpoint, (answer) => answer),
  judge: ({ url, certificate }, { settings, run, now }) => {
    if (url === null)
      return notReady(`${settings.application.urlParameter} in ${run.region} names no address of the application`);
    if (certificate === null) return { verdict: 'not-applicable', reason: `${url} is reached without TLS` };
    const { until, refused } = certificate;
    const days = Math.floor(secondsBetween(now, until) / daySeconds);
    const evidence = { url, until, daysLeft: days, refused };
    if (days < 0) return notReady(`the certificate of ${url} ended at ${until}`, { evidence });
    if (refused !== null)
      return notReady(`clients of ${settings.traffic.recordName} refuse the certificate of ${url}: ${refused}`, {
        evidence,
      });
    const said = `the certificate of ${url} is valid for ${days} days, until ${until}`;
    return days > noticeDays
      ? ready(said, { evidence })
      : notReady(`${said}: it is renewed ${noticeDays} days before at the latest`, { evidence });
  },
});
