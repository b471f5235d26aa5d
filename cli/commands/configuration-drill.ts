/** `dr drill --scenario configuration`: a record, a secret and a deployment of the drill's own are lost and restored, beside production. */
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { namesOf } from '../../config/names.ts';
import { rehearseBeside } from '../beside-production.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Installation } from '../installation.ts';
import type { DrillOptions } from '../options.ts';
import { duration } from '../screen.ts';
import { otherClusters } from './cluster-drill.ts';
import { onCloudOfItsOwn } from './drill.ts';

/** Runs the drill and returns the exit code; cleans up on every path. */
export const configurationDrill = (options: DrillOptions): Promise<ExitCode> =>
  onCloudOfItsOwn(
    options,
    'Configuration drill',
    'where terraform, kubectl and aws are STAND-INs',
    async (installation, writers, _, screen) => {
      const { configuration, clients } = installation;
      const before = await recordsOf(installation);
      const request = { mode: 'drill', reason: 'rehearsal of the configuration recovery' };
      const drill = {
        request,
        async start() {
          screen.heading(
            `A person starts it; the RTO clock starts (objective ${duration(configuration.objectives.rtoSeconds)})`,
          );
          const machine = namesOf(configuration).stateMachineArn(
            configuration.primary.region,
            'configuration-recovery',
          );
          const { executionArn = '' } = await clients.sfn.send(
            new StartExecutionCommand({ stateMachineArn: machine, input: JSON.stringify(request) }),
          );
          return executionArn;
        },
        left: async () => [
          { what: 'clusters', names: await otherClusters(installation) },
          { what: 'secrets', names: await drillSecrets(installation) },
          { what: 'records', names: (await recordsOf(installation)).filter((each) => !before.includes(each)) },
        ],
      };
      return rehearseBeside(installation, writers, drill, options, screen);
    },
  );

/** `<type> <name>` of every record of production's zone. */
export async function recordsOf({ cloud, traffic, configuration }: Installation): Promise<string[]> {
  const answer = await cloud.call<{ ResourceRecordSets: { Name: string; Type: string; SetIdentifier?: string }[] }>(
    'route-53',
    'ListResourceRecordSets',
    { HostedZoneId: traffic.hostedZoneId },
    configuration.primary.region,
  );
  return answer.ResourceRecordSets.map(({ Name, Type, SetIdentifier = '' }) =>
    `${Type} ${Name} ${SetIdentifier}`.trim(),
  );
}

/** Secrets of drills, also those that are scheduled for deletion. */
export async function drillSecrets({ cloud, configuration }: Installation): Promise<string[]> {
  const { SecretList } = await cloud.call<{ SecretList: { Name: string }[] }>(
    'secrets-manager',
    'ListSecrets',
    { IncludePlannedDeletion: true },
    configuration.primary.region,
  );
  return SecretList.map(({ Name }) => Name).filter((name) => name.startsWith(configuration.database.drillPrefix));
}
