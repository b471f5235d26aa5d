/** The members of Kubernetes' workload kinds that the controllers and the kubelet act on. */
import type { KubernetesObject } from './objects.ts';

export interface Probe {
  httpGet?: { path?: string; port: number | string };
  initialDelaySeconds?: number;
  periodSeconds?: number;
  timeoutSeconds?: number;
  failureThreshold?: number;
}
interface KeyReference {
  name: string;
  key: string;
  optional?: boolean;
}
export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: { configMapKeyRef?: KeyReference; secretKeyRef?: KeyReference; fieldRef?: { fieldPath: string } };
}
export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string }; prefix?: string }[];
  readinessProbe?: Probe;
}
export interface PodSpec {
  containers: Container[];
  nodeName?: string;
  serviceAccountName?: string;
  terminationGracePeriodSeconds?: number;
}
export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: PodSpec;
}
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastUpdateTime?: string;
}
export interface Pod extends KubernetesObject {
  spec: PodSpec;
  status?: {
    phase: string;
    conditions?: Condition[];
    podIP?: string;
    containerStatuses?: unknown[];
    startTime?: string;
  };
}
export interface ReplicaSet extends KubernetesObject {
  spec: { replicas: number; selector: { matchLabels: Record<string, string> }; template: PodTemplate };
}
export interface Deployment extends KubernetesObject {
  spec: {
    replicas?: number;
    selector: { matchLabels?: Record<string, string> };
    template: PodTemplate;
    strategy?: { type?: string; rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string } };
    progressDeadlineSeconds?: number;
    revisionHistoryLimit?: number;
  };
  status?: { conditions?: Condition[] };
}
export interface Service extends KubernetesObject {
  spec: {
    type?: string;
    selector?: Record<string, string>;
    ports: { port: number; targetPort?: number | string; name?: string }[];
  };
}

export const isReady = (pod: Pod): boolean =>
  !pod.metadata.deletionTimestamp &&
  (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');

/** The condition, its transition time kept where its status is what it was. */
export function condition(previous: readonly Condition[] | undefined, next: Condition, now: string): Condition {
  const before = previous?.find(({ type }) => type === next.type);
  return { ...next, lastTransitionTime: before?.status === next.status ? (before.lastTransitionTime ?? now) : now };
}
