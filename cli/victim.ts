/** Production, for who owns the machines of its cluster, for who has its administrator's credentials, and for who deploys to it. */
import { execFile } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Configuration } from '../config/schema.ts';
import type { Cloud } from '../local/cloud.ts';
import type { EksService } from '../local/services/eks/service.ts';
import type { Victim } from '../workload/disasters/disaster.ts';
import type { OperatorConnection } from './clients.ts';

export function clusterOf(
  { cluster, application, account, primary: { region } }: Configuration,
  cloud: Cloud,
): NonNullable<Victim['cluster']> {
  const { cluster: name } = cluster.primary;
  const kubernetes = () => (cloud.service('eks', region) as EksService).kubernetes(name);
  return {
    loseNodes() {
      const nodes = kubernetes().nodes();
      const lost = nodes.names();
      // EC2's checks see nothing, so the group replaces none.
      for (const node of lost) nodes.lose(node, false);
      return lost;
    },
    async remove() {
      const listed = await cloud.call<{ nodegroups: string[] }>('eks', 'ListNodegroups', { clusterName: name }, region);
      for (const nodegroupName of listed.nodegroups)
        await cloud.call('eks', 'DeleteNodegroup', { clusterName: name, nodegroupName }, region);
      await cloud.call('eks', 'DeleteCluster', { name }, region);
    },
    async deploy(image) {
      const { namespace, name: deployment } = application.deployment;
      await kubernetes().apply({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: deployment, namespace },
        spec: {
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
          template: {
            spec: { containers: [{ name: 'api', image: `${account}.dkr.ecr.${region}.amazonaws.com/${image}` }] },
          },
        },
      });
    },
  };
}

/** What a person reaches with an administrator's credentials: AWS's own API, and the cluster by (a stand-in for) kubectl. */
export function configurationOf(
  { database, traffic, application, primary: { region } }: Configuration,
  { connection, cloud }: { readonly connection: OperatorConnection; readonly cloud: Pick<Cloud, 'dataDirectory'> },
): NonNullable<Victim['configuration']> {
  const { cluster, namespace, name } = application.deployment;
  const tools = join(import.meta.dirname, '../local/tools');
  const { accessKeyId, secretAccessKey } = connection.credentials;
  const run = (tool: string, argv: readonly string[]) =>
    promisify(execFile)(join(tools, tool), argv, {
      env: {
        PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
        KUBECONFIG: join(cloud.dataDirectory, 'person', 'kubeconfig'),
        AWS_ENDPOINT_URL: connection.endpoint,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
      },
    });
  return {
    connection,
    region,
    zone: traffic.hostedZoneName,
    record: traffic.recordName,
    secret: database.applicationRoles[0]?.secretName ?? '',
    service: { namespace, name },
    async kubectl(argv) {
      await run('aws', ['eks', 'update-kubeconfig', '--name', cluster, '--region', region]);
      await run('kubectl', argv);
    },
  };
}
