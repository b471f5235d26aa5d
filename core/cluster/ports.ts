/** What the cluster area needs from outside: one cluster as EKS and Kubernetes know it, and the results of a build. */

export interface NodeGroup {
  readonly name: string;
  readonly status: string;
  readonly minimum: number;
  readonly desired: number;
  readonly maximum: number;
  /** What EKS says is wrong with it. */
  readonly issues: readonly string[];
}

export interface Node {
  readonly name: string;
  readonly ready: boolean;
  /** When that last changed, UTC. */
  readonly since: string;
}

export interface WorkloadState {
  readonly name: string;
  /** Undefined: there is no such deployment. */
  readonly status:
    | {
        readonly desired: number;
        readonly updated: number;
        readonly available: number;
        readonly total: number;
        /** Whether its last change has been acted on. */
        readonly observed: boolean;
        /** Images of its containers. */
        readonly images: readonly string[];
      }
    | undefined;
  /** Images that its ready pods run, by digest where the kubelet tells one. */
  readonly running: readonly string[];
}

/** `silent`: no answer · `denied`: the role may not look. */
export type Answer<T> =
  | { readonly answer: 'given'; readonly value: T }
  | { readonly answer: 'silent' | 'denied'; readonly why: string };

/** One cluster of one Region. */
export interface ClusterView {
  /** Undefined: EKS knows no such cluster. */
  status(): Promise<string | undefined>;
  groups(): Promise<readonly NodeGroup[]>;
  nodes(): Promise<Answer<readonly Node[]>>;
  workloads(namespace: string, names: readonly string[]): Promise<Answer<readonly WorkloadState[]>>;
  /** Base URL of a service of type LoadBalancer; undefined while it has none. */
  addressOf(namespace: string, service: string): Promise<string | undefined>;
  scale(group: string, desired: number): Promise<void>;
  /** Lets a role in, with that Kubernetes group; false where it was let in before. */
  admit(roleArn: string, group: string): Promise<boolean>;
}

export interface Registry {
  /** Digest of an image of ECR by its tag or digest; undefined where the registry does not hold it, or is none of ECR. */
  digestOf(image: string): Promise<string | undefined>;
}

/** Exports of the cluster's state that the backup machine wrote. */
export interface ClusterExports {
  /** s3:// of the newest one of the namespace, and when it was made; undefined where there is none. */
  newest(namespace: string): Promise<{ readonly location: string; readonly at: string } | undefined>;
}

/** What the commands of a build left behind. */
export interface BuildResults {
  /** What the first failing command means (its error's name); undefined where none failed. */
  failed(): string | undefined;
  /** Lines of the output that say what went wrong; no secrets. */
  problems(): readonly string[];
  /** Terraform's plan as JSON, if one was made. */
  plan(): unknown;
  /** What `kubectl diff` wrote; undefined where it could not compare. */
  differences(): string | undefined;
  /** What `kubectl kustomize` rendered. */
  rendered(): string | undefined;
  /** The build's ARN and log. */
  build(): { readonly arn: string; readonly log: string };
}
