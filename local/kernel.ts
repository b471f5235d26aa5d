/**
 * The few types that every part of the embedded cloud shares: who calls (Principal), what a call needs
 * (Access), what a service is (operations, resource types, routes), and what a service is given (Home).
 */
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Ways } from './outages.ts';
import type { World } from './world.ts';

/** Short names of the services; they are the wire's and `Home.call`'s key. */
export type ServiceName =
  | 'rds'
  | 'sfn'
  | 'lambda'
  | 'eventbridge'
  | 'scheduler'
  | 'cloudwatch'
  | 'cloudwatch-logs'
  | 'sns'
  | 'sqs'
  | 'dynamodb'
  | 's3'
  | 'ssm'
  | 'secrets-manager'
  | 'kms'
  | 'iam'
  | 'sts'
  | 'ec2'
  | 'ecr'
  | 'eks'
  | 'codebuild'
  | 'service-quotas'
  | 'route-53';

/** Time of the whole cloud. Nothing in local/ reads Date or sets a timer but through this. */
export interface Clock {
  readonly kind: 'real' | 'scaled' | 'virtual';
  /** AWS-owned waits are divided by this; 1 on the real clock. */
  readonly factor: number;
  /** Epoch milliseconds. Real on the real and the scaled clock. */
  now(): number;
  /** Real milliseconds that an AWS-owned duration (schedule, alarm period, Wait, Retry, propagation, TTL) takes. */
  scale(ms: number): number;
  /** Waits for an AWS-owned duration (already unscaled: this divides). Rejects with `signal.reason` when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Waits unscaled: for time limits (TimeoutSeconds, function timeouts) that guard real work. */
  limit(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Which Regions are dark: gone, as in a loss of power; and which cannot reach each other. */
export interface Darkness {
  isDark(region: string): boolean;
  /** Resolves when the Region is there: at once where it is. */
  light(region: string): Promise<void>;
  /** Whether the way between two Regions is cut, which may both be there. */
  isParted(one: string, other: string): boolean;
  /** Who listens on a port of this machine is in that Region: functions elsewhere lose it with the way between them. */
  locatePort(port: number, region: string): void;
  /** For threads of functions, which connect to ports by themselves. */
  readonly ways: Ways;
}

/** Who makes a call. `operator` is any access key that the cloud did not issue: the account's administrator. */
export type Principal =
  | { readonly kind: 'operator'; readonly arn: string; readonly accessKeyId: string }
  | { readonly kind: 'role'; readonly roleArn: string; readonly sessionName: string }
  | {
      readonly kind: 'service';
      readonly service: string;
      readonly sourceArn?: string;
      readonly sourceAccount?: string;
    };

/** One action that an operation performs, as the Service Authorization Reference describes it. */
export interface Access {
  /** For example `rds:CreateDBSnapshot`. */
  readonly action: string;
  /** Every ARN that the action presents; all of them must be allowed. `['*']` where the action has no resource type. */
  readonly resources: readonly string[];
  /** Condition keys with the values that this request presents, e.g. `{ 'aws:ResourceTag/stocker-dr:incident': 'x' }`. Global keys are added by the authorizer. */
  readonly conditions?: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface Call {
  /** The caller's, and so that of what it acts on: an account reaches nothing of another one's but the roles that it may assume. */
  readonly account: string;
  readonly region: string;
  readonly principal: Principal;
  readonly requestId: string;
  /** The key that signed the call, where one did: it tells one run of a function from another. */
  readonly accessKeyId?: string | undefined;
}

/** One API operation. `access` declares what is checked before `run`; an operation without it cannot exist. */
// biome-ignore lint/suspicious/noExplicitAny: a table holds operations of every input and output type
export interface Operation<I = any, O = any> {
  access(input: I, call: Call): readonly Access[] | Promise<readonly Access[]>;
  run(input: I, call: Call): O | Promise<O>;
}

/** An error as the API models name it: `code` is the wire's code or the shape's name (`DBInstanceNotFound` or `DBInstanceNotFoundFault`); `fields` are the shape's further members. */
export class AwsError extends Error {
  override readonly name: string = 'AwsError';
  readonly code: string;
  readonly fields: Readonly<Record<string, unknown>>;
  constructor(code: string, message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.fields = fields;
  }
}

/** What a CloudFormation resource type does when a stack is deployed into the embedded cloud. */
export interface ResourceProvider {
  /** Properties arrive with every intrinsic resolved. Returns what Ref and Fn::GetAtt answer. Must reject a property that it does not honour and that would change behaviour. */
  create(properties: Record<string, unknown>, context: ResourceContext): ResourceResult | Promise<ResourceResult>;
}
export interface ResourceContext {
  readonly stackName: string;
  readonly logicalId: string;
  readonly account: string;
  readonly region: string;
  /** The directory of the cloud assembly, for assets. */
  readonly assemblyDirectory: string;
}
export interface ResourceResult {
  readonly ref: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*' | Readonly<Record<string, string | readonly string[]>>;
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
export interface PolicyDocument {
  readonly Version?: string;
  readonly Statement: readonly PolicyStatement[];
}

/** A service in one Region. */
export interface Service {
  readonly operations: Readonly<Record<string, Operation>>;
  readonly resources?: Readonly<Record<string, ResourceProvider>>;
  /** The resource-based policy of a resource of this service (topic, queue, key, bucket, function), if it has one. */
  resourcePolicy?(arn: string): PolicyDocument | undefined;
  /** What takes a request of this path from the cloud's HTTP server as it comes, unread (a function URL). Asked at every request. */
  route?(path: string): RequestListener | undefined;
  /** Called once after every stack is deployed: schedules start, alarms evaluate. */
  start?(): void | Promise<void>;
  /** Its Region goes dark: what runs on machines there ends at once. Timers and calls stand still by themselves. */
  goDark?(): void | Promise<void>;
  /** The way to another Region was cut, or is there again: what streams between them stops, or goes on. */
  wayChanged?(other: string, isCut: boolean): void | Promise<void>;
  /** Its Region is back: what ended starts again, as far as AWS starts it. */
  comeBack?(): void | Promise<void>;
  /** Ends timers, processes and servers. Called on every normal end. */
  stop?(): void | Promise<void>;
}

/** A service's definition: how to make one for a Region. `global` services (iam, sts state) share one instance, which no Region's loss stops. */
export interface ServiceDefinition {
  readonly name: ServiceName;
  /** The SDK package whose schemas drive the wire, e.g. `@aws-sdk/client-rds`. */
  readonly sdk: string;
  readonly global?: boolean;
  /** The Region in which its operations are, wherever they are called from: without that Region, nobody can call them. */
  readonly controlPlane?: string;
  /** Whether every account of the cloud has it, not only that of the assemblies. */
  readonly everywhere?: boolean;
  create(home: Home): Service;
}

/** An event on the default bus, as an AWS service puts it. Account, Region and id are filled in. */
export interface BusEvent {
  readonly source: string;
  readonly 'detail-type': string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
  /** When it happened, in epoch milliseconds; without, when it is put. */
  readonly time?: number;
}

/** Temporary credentials that the cloud issued for a role session. */
export interface IssuedCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** A certificate made by the cloud's own authority, PEM. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

/** Who signed a request. */
export interface Signer {
  readonly principal: Principal;
  readonly accessKeyId: string;
}

/** What runs for a container image in a pod: no image is pulled. A process on a machine, a server inside a virtual cloud. */
export interface ContainerImage {
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Answers what is sent to the pod's port; the variables are the pod's. */
  readonly serve?: (env: Readonly<Record<string, string>>) => RequestListener;
}

/** What one service in one Region is given. */
export interface Home {
  readonly account: string;
  readonly region: string;
  /** Every Region of this cloud, this one included. */
  readonly regions: readonly string[];
  readonly clock: Clock;
  /** What the cloud runs on. */
  readonly world: World;
  readonly darkness: Darkness;
  /** Private to this cloud; removed when it stops, reaped when it was killed. */
  readonly dataDirectory: string;
  /** `http://127.0.0.1:<port>`: known once the wire listens, which is before any stack is deployed. */
  readonly endpoint: string;
  /** Calls an operation of a service, this Region's unless said otherwise, through the same authorization as a call from the wire. Throws AwsError. */
  call<O = Record<string, unknown>>(
    service: ServiceName,
    operation: string,
    input: object,
    as: Principal,
    region?: string,
  ): Promise<O>;
  /** The service instance beside this one, for what has no API (a log group written by the runtime, a bucket's notification). Use sparingly. */
  service(name: ServiceName, region?: string, account?: string): Service;
  /** Puts an event on this Region's default bus. Never throws; delivery is asynchronous. */
  emit(event: BusEvent): void;
  /** Credentials for a role session; the wire maps them back to the principal. */
  issueCredentials(principal: Principal): IssuedCredentials;
  /** Who signed a request that came by a raw route, for that signing name (`lambda`) in this Region. Throws AwsError when nobody did, or the signature is not theirs. */
  authenticate(request: IncomingMessage, body: Uint8Array, signingName: string): Promise<Signer>;
  /** A server certificate for these DNS names and IP addresses. */
  issueCertificate(names: readonly string[], addresses: readonly string[]): Promise<Certificate>;
  /** Directory that builds find first in their PATH. */
  readonly tools?: string | undefined;
  /** By the image's name. */
  readonly images: Readonly<Record<string, ContainerImage>>;
  /** PEM of the cloud's own certificate authority. */
  readonly certificateAuthority: string;
  /** Faults that tests and drills inject; every service asks before it acts where the fault says so. */
  readonly faults: Faults;
}

/** Injected faults. `before` runs ahead of an operation and may throw or delay; `after` runs once its effect is done. */
export interface Faults {
  before(service: ServiceName, operation: string, input: object, call: Call): Promise<undefined>;
  after(service: ServiceName, operation: string, input: object, call: Call): Promise<void>;
}
