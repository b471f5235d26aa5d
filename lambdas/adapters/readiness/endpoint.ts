/** The application of the Region that looks: its address, and the certificate that it shows to clients. */
import { ask } from '../../../core/readiness/answer.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf } from '../../../core/readiness/facts.ts';
import type { Runtime } from '../../handler.ts';
import { parameters } from '../aws/ssm.ts';
import { certificateOf } from '../http/certificate.ts';

export function lookAtEndpoint(
  { region }: ReadinessRun,
  rt: Pick<Runtime, 'settings' | 'here'>,
): Promise<FactsOf<'endpoint'>> {
  const { application, traffic } = rt.settings;
  return ask(`the application in ${region}`, async () => {
    const url = (await parameters(rt).read(application.urlParameter)) ?? null;
    if (url === null || new URL(url).protocol !== 'https:') return { url, certificate: null };
    return { url, certificate: await certificateOf(new URL(url), traffic.recordName) };
  });
}
