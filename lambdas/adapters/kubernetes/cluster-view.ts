/** One cluster as EKS and its own Kubernetes API know it: nodes, node groups, deployments, pods. */
import {
  CreateAccessEntryCommand,
  DescribeNodegroupCommand,
  EKSClient,
  ListNodegroupsCommand,
  ResourceInUseException,
  UpdateNodegroupConfigCommand,
} from '@aws-sdk/client-eks';
import * as z from 'zod';
import type { Answer, ClusterView, Node, WorkloadState } from '../../../core/cluster/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from '../aws/clients.ts';
import { type Identity, own } from '../aws/identity.ts';
import { send } from './api.ts';
import { describeCluster } from './clusters.ts';
import { eksToken } from './token.ts';

const Condition = z.object({ type: z.string(), status: z.string(), lastTransitionTime: z.string().default('') });
const Metadata = z.object({
  name: z.string(),
  generation: z.number().default(0),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  deletionTimestamp: z.string().optional(),
});
const conditions = z.array(Condition).default([]);
const Nodes = z.object({
  items: z.array(z.object({ metadata: Metadata, status: z.object({ conditions }).prefault({}) })),
});
const count = z.number().default(0);
const Deployments = z.object({
  items: z.array(
    z.object({
      metadata: Metadata,
      spec: z.object({
        replicas: z.number().default(1),
        selector: z.object({ matchLabels: z.record(z.string(), z.string()).default({}) }),
        template: z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })) }) }),
      }),
      status: z
        .object({
          observedGeneration: count,
          replicas: count,
          updatedReplicas: count,
          availableReplicas: count,
        })
        .prefault({}),
    }),
  ),
});
const Pods = z.object({
  items: z.array(
    z.object({
      metadata: Metadata,
      status: z
        .object({ conditions, containerStatuses: z.array(z.object({ imageID: z.string().default('') })).default([]) })
        .prefault({}),
    }),
  ),
});
const Services = z.object({
  items: z.array(
    z.object({
      metadata: Metadata,
      status: z
        .object({
          loadBalancer: z
            .object({
              ingress: z
                .array(
                  z.object({
                    hostname: z.string().optional(),
                    ip: z.string().optional(),
                    ports: z.array(z.object({ port: z.number() })).optional(),
                  }),
                )
                .default([]),
            })
            .prefault({}),
        })
        .prefault({}),
    }),
  ),
});

type Conditions = z.infer<typeof conditions>;
const readyOf = (all: Conditions) => all.find(({ type }) => type === 'Ready');

export function clusterView(name: string, { here }: Pick<Runtime, 'here'>, identity: Identity = own): ClusterView {
  const { region } = here;
  const eks = async () => clientFor(EKSClient, region, await identity());
  /** A list as the Kubernetes API answers it, or why there is none. */
  async function list<T>(path: string, schema: z.ZodType<T>): Promise<Answer<T>> {
    const as = await identity();
    const { endpoint, ca, status } = (await describeCluster(name, region, as)) ?? {};
    if (endpoint === undefined || ca === undefined)
      return { answer: 'silent', why: `the cluster is ${status ?? 'not there'} and has no endpoint` };
    try {
      const sent = { method: 'GET', path, token: await eksToken(name, region, as) };
      const { status: code, body } = await send({ endpoint, ca }, sent);
      if (code === 200) return { answer: 'given', value: schema.parse(JSON.parse(body)) };
      const isDenied = code === 401 || code === 403;
      return { answer: isDenied ? 'denied' : 'silent', why: `GET ${path} answers ${code}: ${body.slice(0, 200)}` };
    } catch (error) {
      // What send() cannot reach is what is asked about.
      if (error instanceof Error && error.name === 'WorkloadNotReady') return { answer: 'silent', why: error.message };
      throw error;
    }
  }
  return {
    async status() {
      return (await describeCluster(name, region, await identity()))?.status;
    },
    async groups() {
      const { nodegroups = [] } = await (await eks()).send(new ListNodegroupsCommand({ clusterName: name }));
      return Promise.all(
        nodegroups.map(async (nodegroupName) => {
          const { nodegroup } = await (await eks()).send(
            new DescribeNodegroupCommand({ clusterName: name, nodegroupName }),
          );
          const { minSize = 0, maxSize = 0, desiredSize = 0 } = nodegroup?.scalingConfig ?? {};
          return {
            name: nodegroupName,
            status: nodegroup?.status ?? 'UNKNOWN',
            minimum: minSize,
            desired: desiredSize,
            maximum: maxSize,
            issues: (nodegroup?.health?.issues ?? []).map(({ code, message }) => `${code}: ${message}`),
          };
        }),
      );
    },
    async nodes() {
      const nodes = await list('/api/v1/nodes', Nodes);
      if (nodes.answer !== 'given') return nodes;
      const value = nodes.value.items.map(({ metadata, status }): Node => {
        const ready = readyOf(status.conditions);
        return { name: metadata.name, ready: ready?.status === 'True', since: ready?.lastTransitionTime ?? '' };
      });
      return { answer: 'given', value };
    },
    async workloads(namespace, names) {
      const root = encodeURIComponent(namespace);
      const deployments = await list(`/apis/apps/v1/namespaces/${root}/deployments`, Deployments);
      if (deployments.answer !== 'given') return deployments;
      const pods = await list(`/api/v1/namespaces/${root}/pods`, Pods);
      if (pods.answer !== 'given') return pods;
      const running = (labels: Readonly<Record<string, string>>) =>
        pods.value.items
          .filter(
            ({ metadata, status }) =>
              metadata.deletionTimestamp === undefined &&
              readyOf(status.conditions)?.status === 'True' &&
              Object.entries(labels).every(([label, value]) => metadata.labels[label] === value),
          )
          .flatMap(({ status }) => status.containerStatuses.map(({ imageID }) => imageID));
      const value = names.map((each): WorkloadState => {
        const found = deployments.value.items.find(({ metadata }) => metadata.name === each);
        if (found === undefined) return { name: each, status: undefined, running: [] };
        const { metadata, spec, status } = found;
        return {
          name: each,
          status: {
            desired: spec.replicas,
            updated: status.updatedReplicas,
            available: status.availableReplicas,
            total: status.replicas,
            observed: status.observedGeneration >= metadata.generation,
            images: spec.template.spec.containers.map(({ image }) => image),
          },
          running: running(spec.selector.matchLabels),
        };
      });
      return { answer: 'given', value };
    },
    async addressOf(namespace, service) {
      const services = await list(`/api/v1/namespaces/${encodeURIComponent(namespace)}/services`, Services);
      if (services.answer !== 'given') return undefined;
      const found = services.value.items.find(({ metadata }) => metadata.name === service);
      const [ingress] = found?.status.loadBalancer.ingress ?? [];
      const host = ingress?.hostname ?? ingress?.ip;
      const port = ingress?.ports?.[0]?.port;
      return host && `http://${host}${port === undefined ? '' : `:${port}`}`;
    },
    async scale(nodegroupName, desiredSize) {
      const change = { clusterName: name, nodegroupName, scalingConfig: { desiredSize } };
      await (await eks()).send(new UpdateNodegroupConfigCommand(change));
    },
    async admit(principalArn, group) {
      try {
        const entry = { clusterName: name, principalArn, kubernetesGroups: [group], type: 'STANDARD' };
        await (await eks()).send(new CreateAccessEntryCommand(entry));
        return true;
      } catch (error) {
        if (error instanceof ResourceInUseException) return false;
        throw error;
      }
    },
  };
}
