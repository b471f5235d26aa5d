/** What a rehearsal of lost configuration does to an installation on the embedded cloud before and beside the disaster. */
import { setTimeout as sleep } from 'node:timers/promises';
import { namesOf } from '../config/names.ts';
import { invoke } from './clients.ts';
import type { Installation } from './installation.ts';

type Site = Pick<Installation, 'configuration' | 'clients' | 'cloud'>;

/** Records the zone and compares production with Git, as every night; resolves when the comparison is over. */
export async function checkConfiguration({ configuration, clients, cloud }: Site): Promise<void> {
  const watch = namesOf(configuration).lambda('configuration/watch-configuration');
  const { build } = (await invoke(clients.lambda, watch, {})) as { build?: string };
  if (build === undefined) throw new Error('Production was not compared with Git');
  const input = { ids: [build] };
  const { region } = configuration.primary;
  for (;;) {
    const { builds } = await cloud.call<{ builds: { buildStatus: string }[] }>(
      'codebuild',
      'BatchGetBuilds',
      input,
      region,
    );
    if (builds[0]?.buildStatus === 'SUCCEEDED') return;
    if (builds[0]?.buildStatus !== 'IN_PROGRESS')
      throw new Error(`The comparison with Git ended ${builds[0]?.buildStatus}`);
    await sleep(100);
  }
}

/** What happens within a cluster is in no CloudTrail: the nightly comparison finds it. */
export const isSeenByComparison = (disaster: string): boolean => disaster === 'workload-deleted';

/** Night falls. */
export const compareWithGit = ({ configuration, cloud }: Site): Promise<void> =>
  cloud.fireSchedule(namesOf(configuration).schedule('configuration-check'), configuration.primary.region);
