/** The application as Kubernetes objects: one deployment and one service, for the API and for its canary. */
export interface DeploymentPlan {
  readonly namespace: string;
  readonly name: string;
  readonly replicas: number;
  readonly image: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Between two readiness probes of a pod that is ready; without, 10, as Kubernetes has it. */
  readonly probeSeconds?: number;
}

export function namespaceManifest(name: string) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

export function deploymentManifest(plan: DeploymentPlan) {
  const labels = { app: plan.name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: plan.name, namespace: plan.namespace, labels },
    spec: {
      replicas: plan.replicas,
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              name: 'api',
              image: plan.image,
              ports: [{ containerPort: 8080 }],
              env: Object.entries(plan.environment).map(([name, value]) => ({ name, value })),
              // Alive is enough to be rolled out: whether the database answers is what the recovery validates.
              readinessProbe: { httpGet: { path: '/health/live', port: 8080 }, periodSeconds: plan.probeSeconds ?? 10 },
            },
          ],
        },
      },
    },
  };
}

export function serviceManifest(plan: Pick<DeploymentPlan, 'namespace' | 'name'>) {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: plan.name, namespace: plan.namespace },
    spec: { type: 'LoadBalancer', selector: { app: plan.name }, ports: [{ port: 80, targetPort: 8080 }] },
  };
}

/** What the daily export lists: everything that is written by somebody, and no secret. */
const exportRules = [
  {
    apiGroups: [''],
    resources: [
      'configmaps',
      'limitranges',
      'persistentvolumeclaims',
      'pods',
      'podtemplates',
      'replicationcontrollers',
      'resourcequotas',
      'serviceaccounts',
      'services',
    ],
    verbs: ['list'],
  },
  {
    apiGroups: ['apps', 'autoscaling', 'batch', 'networking.k8s.io', 'policy', 'rbac.authorization.k8s.io'],
    resources: ['*'],
    verbs: ['list'],
  },
];

/**
 * What the product may do: in the application's namespace restart and scale deployments, and list what is exported; in the
 * cluster see whether nodes are ready. Its group is in its access entries.
 */
export function recoveryAccessManifests(namespace: string, group: string) {
  const metadata = { name: 'stocker-dr', namespace };
  const seeNodes = { name: 'stocker-dr-see-nodes' };
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }];
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: seeNodes,
      rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: seeNodes,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: seeNodes.name },
      subjects,
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata,
      rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'patch'] }, ...exportRules],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'stocker-dr' },
      subjects,
    },
  ];
}
