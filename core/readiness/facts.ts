/** What is looked at, source by source: an answer, or that there was none. A look judges nothing. */
import * as z from 'zod';
import { Failure, Moment } from '../incident/contracts.ts';
import { GreenDrill } from './contracts.ts';

/** What was found, or why nothing is known: silence is neither good nor bad. */
export type Answer<T> = { readonly found: T } | { readonly silent: string };

const answered = <T extends z.ZodType>(found: T) =>
  z.union([z.strictObject({ found }), z.strictObject({ silent: z.string() })]);

/** The same facts of the Region where production is, and of the one that it would be recovered to. */
const ofBoth = <A extends z.ZodType, S extends z.ZodType>(active: A, standby: S) =>
  z.strictObject({ active: answered(active), standby: answered(standby) });

const Window = z.strictObject({ earliest: Moment, latest: Moment });

const Snapshot = z.strictObject({
  identifier: z.string(),
  arn: z.string(),
  resourceId: z.string().optional(),
  status: z.string(),
  encrypted: z.boolean(),
  keyArn: z.string().optional(),
  tags: z.record(z.string(), z.string()),
});

/** RDS: what can be restored, and what follows. */
export const DatabaseFacts = ofBoth(
  z.strictObject({
    /** null: RDS knows no such instance. */
    status: z.string().nullable(),
    window: Window.nullable(),
    snapshots: z.array(Snapshot),
  }),
  z.strictObject({
    snapshots: z.array(Snapshot),
    /** Automated backups that are received. */
    replicated: z.strictObject({ status: z.string(), window: Window.nullable() }).nullable(),
    /** A read replica of production. */
    replica: z
      .strictObject({
        identifier: z.string(),
        status: z.string(),
        replication: z.string(),
        /** Until when the server's certificate is valid; null: RDS does not say. */
        certificateUntil: Moment.nullable(),
      })
      .nullable(),
  }),
);

/** The newest heartbeats, as CloudWatch counted them minute by minute where production is. */
export const HeartbeatFacts = answered(
  z.strictObject({
    /** Begin of the newest minute of which anything is known. */
    newest: Moment.nullable(),
    /** Whether every beat in it failed. */
    failed: z.boolean(),
    /** Begin of the newest minute in which a beat was written. */
    written: Moment.nullable(),
  }),
);

/** The newest heartbeat that the replica holds; null: there is no replica. */
export const ReplicaFacts = answered(z.strictObject({ heartbeat: Moment.nullable() }).nullable());

/** Strict fencing: what a failover would go by, and what production's own guard does. Asked for in this order: guard first. */
const TenureFacts = z.strictObject({
  /** The guard's memory, in the primary Region; null: it has never renewed. */
  remembered: answered(z.strictObject({ renewedAt: Moment, fenced: z.array(z.string()) }).nullable()),
  /** In the control table of the DR Region; null: there is none. */
  held: answered(
    z.strictObject({ renewedAt: Moment.nullable(), epoch: z.number(), endedBy: z.string().nullable() }).nullable(),
  ),
});

/** The product's own records. */
export const RecordFacts = ofBoth(
  z.strictObject({
    proofs: z.array(
      z.strictObject({ backup: z.string(), verdict: z.enum(['passed', 'failed', 'unknown']), at: Moment }),
    ),
    drills: z.array(GreenDrill),
    /** What is deployed now. */
    release: z.string(),
  }),
  z.strictObject({
    /** Begin of the sound look whose profile of production is kept here. */
    profileAt: Moment.nullable(),
    /** The newest look at production's Region; reachedAt null: its database has never answered; null: there is no look. */
    look: z.strictObject({ region: z.string(), reachedAt: Moment.nullable() }).nullable(),
  }),
).extend({ tenure: answered(TenureFacts) });

const Keys = z.array(
  z.strictObject({
    /** What it is for. */
    use: z.string(),
    key: z.string(),
    /** As KMS names it: Enabled, Disabled, PendingDeletion …; `absent` where there is none. */
    state: z.string(),
  }),
);
export const KeyFacts = ofBoth(Keys, Keys);

/** Secret → its current version; null: none. Never a value. */
const Versions = z.record(z.string(), z.string().nullable());
export const SecretFacts = ofBoth(Versions, Versions);

/** The images of the newest export of the cluster, asked for in the Region that would run them. */
export const ImageFacts = answered(
  z.strictObject({
    /** null: no export has come here yet. */
    export: z.strictObject({ run: z.string(), at: Moment }).nullable(),
    checked: z.number(),
    missing: z.array(z.string()),
  }),
);

export const TerraformFacts = answered(
  z.array(z.strictObject({ state: z.string(), found: z.enum(['versioned', 'unversioned', 'absent']) })),
);

const Quotas = z.array(z.strictObject({ quota: z.string(), limit: z.number(), used: z.number(), needed: z.number() }));
export const QuotaFacts = ofBoth(Quotas, Quotas);

/** What the roles of a recovery may not do, of all that they do in one. Kept between simulations. */
export const PermissionFacts = answered(
  z.strictObject({
    at: Moment,
    release: z.string(),
    simulated: z.number(),
    denied: z.array(z.strictObject({ role: z.string(), action: z.string(), resource: z.string() })),
  }),
);

export const ClusterFacts = answered(
  z.strictObject({
    /** Of the control plane; null: EKS knows no such cluster. */
    status: z.string().nullable(),
    /** What the Kubernetes API answers to the recovery's own request; null: nothing. */
    answer: z.number().nullable(),
  }),
);

const Subscriptions = z.array(z.strictObject({ topic: z.string(), confirmed: z.number(), pending: z.number() }));
export const SubscriptionFacts = ofBoth(Subscriptions, Subscriptions);

const RecordSet = z.strictObject({
  name: z.string(),
  type: z.string(),
  /** How Route 53 chooses between sets of one name and type; `other`: weighted, by latency … */
  routing: z.enum(['simple', 'PRIMARY', 'SECONDARY', 'other']),
  /** The name of an alias or of a service, or values. */
  leadsTo: z.array(z.string()),
  /** null: an alias, which has its target's. */
  ttlSeconds: z.number().nullable(),
  evaluatesTarget: z.boolean(),
  healthCheck: z.string().nullable(),
});
export type RecordSet = z.infer<typeof RecordSet>;

const HealthCheck = z.strictObject({
  type: z.string(),
  /** What it follows, and in which Region; null: no alarm. */
  alarm: z.strictObject({ name: z.string(), region: z.string() }).nullable(),
  /** Its status where the alarm lacks data; null: of another type. */
  insufficientData: z.string().nullable(),
  inverted: z.boolean(),
  disabled: z.boolean(),
});
export type HealthCheck = z.infer<typeof HealthCheck>;

/** Route 53: the records that traffic is shifted by; null: there is no such zone. */
export const DnsFacts = answered(
  z
    .strictObject({
      records: z.array(RecordSet),
      /** Those that records name; null: Route 53 knows none of that id. */
      healthChecks: z.record(z.string(), HealthCheck.nullable()),
    })
    .nullable(),
);

/** The application in the Region that looks, as clients would be led to it. */
export const EndpointFacts = answered(
  z.strictObject({
    /** Base URL; null: none is configured. */
    url: z.string().nullable(),
    /** What it shows of itself; null: it speaks no TLS by its URL. */
    certificate: z
      .strictObject({
        until: Moment,
        /** Why a client that asks for the application's name refuses it; null: it does not. */
        refused: z.string().nullable(),
      })
      .nullable(),
  }),
);

/** Everything that a run looks at. One source, one function, one role. */
export const sources = {
  databases: DatabaseFacts,
  heartbeat: HeartbeatFacts,
  replica: ReplicaFacts,
  records: RecordFacts,
  keys: KeyFacts,
  secrets: SecretFacts,
  images: ImageFacts,
  terraform: TerraformFacts,
  quotas: QuotaFacts,
  permissions: PermissionFacts,
  cluster: ClusterFacts,
  subscriptions: SubscriptionFacts,
  dns: DnsFacts,
  endpoint: EndpointFacts,
} as const;

export type Source = keyof typeof sources;
export type FactsOf<S extends Source> = z.infer<(typeof sources)[S]>;

/** What each source came to, where its function came to anything. */
export type Facts = { readonly [S in Source]: Answer<FactsOf<S>> };

/** What a branch of the machine hands on: the facts of its source, or how its function failed. */
export const Looked = z.union([
  z.strictObject({ source: z.string(), facts: z.unknown() }),
  z.strictObject({ source: z.string(), failure: Failure }),
]);
export type Looked = z.infer<typeof Looked>;
