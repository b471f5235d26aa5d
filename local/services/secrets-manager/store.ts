/** The secrets of one Region: versions with their stages, deletion with a recovery window, and replicas in other Regions. */
import { randomBytes, randomUUID } from 'node:crypto';
import { AwsError, type Home } from '../../kernel.ts';

export interface SecretVersion {
  readonly id: string;
  readonly string?: string;
  readonly binary?: Uint8Array;
  readonly createdAt: Date;
  stages: string[];
}

export interface Secret {
  readonly name: string;
  readonly arn: string;
  readonly primaryRegion: string;
  description?: string;
  keyId?: string;
  readonly createdAt: Date;
  changedAt: Date;
  deletedAt?: Date;
  /** When a deleted secret is gone for good. */
  deletionAt?: Date;
  policy?: string;
  tags: Map<string, string>;
  versions: SecretVersion[];
  /** Region to the replica's key. */
  readonly replicas: Map<string, { keyId?: string }>;
}

export interface SecretValue {
  string?: string | undefined;
  binary?: Uint8Array | undefined;
  token?: string | undefined;
  stages?: readonly string[] | undefined;
}

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';

export class SecretStore {
  readonly #secrets = new Map<string, Secret>();
  readonly #home: Home;
  constructor(home: Home) {
    this.#home = home;
  }

  /** Every secret that is not gone for good. */
  all(): Secret[] {
    const now = this.#home.clock.now();
    for (const secret of this.#secrets.values()) {
      if (secret.deletionAt && secret.deletionAt.getTime() <= now) this.#secrets.delete(secret.name);
    }
    return [...this.#secrets.values()];
  }

  create(name: string, options: { description?: string | undefined; keyId?: string | undefined } = {}): Secret {
    const existing = this.all().find((secret) => secret.name === name);
    if (existing?.deletedAt)
      throw new AwsError(
        'InvalidRequestException',
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
    if (existing)
      throw new AwsError('ResourceExistsException', `The operation failed because the secret ${name} already exists.`);
    const now = new Date(this.#home.clock.now());
    // Six random characters follow the name, so that a policy written for a deleted secret does not fit its successor.
    const arn = `arn:aws:secretsmanager:${this.#home.region}:${this.#home.account}:secret:${name}-${suffix()}`;
    const secret: Secret = {
      name,
      arn,
      primaryRegion: this.#home.region,
      ...(options.description !== undefined && { description: options.description }),
      ...(options.keyId && { keyId: options.keyId }),
      createdAt: now,
      changedAt: now,
      tags: new Map(),
      versions: [],
      replicas: new Map(),
    };
    this.#secrets.set(name, secret);
    return secret;
  }

  /** Takes a name, the full ARN, or the ARN without its suffix. */
  lookup(secretId: string): Secret | undefined {
    return this.all().find(({ name, arn }) => name === secretId || arn === secretId || arn.slice(0, -7) === secretId);
  }

  find(secretId: string): Secret {
    const secret = this.lookup(secretId);
    if (!secret) throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    return secret;
  }

  /** The secret, unless it is marked deleted. */
  usable(secretId: string): Secret {
    const secret = this.find(secretId);
    if (secret.deletedAt)
      throw new AwsError(
        'InvalidRequestException',
        "You can't perform this operation on the secret because it was marked for deletion.",
      );
    return secret;
  }

  /** The secret, unless it is deleted or a replica: those follow their primary and refuse changes. */
  writable(secretId: string): Secret {
    const secret = this.usable(secretId);
    if (secret.primaryRegion !== this.#home.region) {
      throw new AwsError(
        'InvalidRequestException',
        `You can't perform this operation on a replica secret. The primary is in ${secret.primaryRegion}.`,
      );
    }
    return secret;
  }

  /** Adds a version; a client token that was used before with the same value answers that version. */
  addVersion(secret: Secret, value: SecretValue): SecretVersion {
    const known = secret.versions.find(({ id }) => id === value.token);
    if (known) {
      if (known.string !== value.string)
        throw new AwsError('ResourceExistsException', `A version ${known.id} with another value exists.`);
      return known;
    }
    const version: SecretVersion = {
      id: value.token ?? randomUUID(),
      ...(value.string !== undefined && { string: value.string }),
      ...(value.binary !== undefined && { binary: value.binary }),
      createdAt: new Date(this.#home.clock.now()),
      stages: [],
    };
    secret.versions.push(version);
    for (const stage of value.stages ?? [CURRENT]) this.moveStage(secret, stage, version);
    this.changed(secret);
    return version;
  }

  /** A stage is on one version at a time; the version that loses AWSCURRENT becomes AWSPREVIOUS. */
  moveStage(secret: Secret, stage: string, to: SecretVersion | undefined): void {
    const from = secret.versions.find(({ stages }) => stages.includes(stage));
    if (from === to) return;
    if (from) from.stages = from.stages.filter((each) => each !== stage);
    to?.stages.push(stage);
    if (stage === CURRENT && from) this.moveStage(secret, PREVIOUS, from);
    secret.versions = secret.versions.filter(
      ({ stages }, index) => stages.length > 0 || index === secret.versions.length - 1,
    );
  }

  version(secret: Secret, id: string | undefined, stage: string | undefined): SecretVersion {
    const wanted = stage ?? (id ? undefined : CURRENT);
    const version = secret.versions.find(
      (each) => (!id || each.id === id) && (!wanted || each.stages.includes(wanted)),
    );
    if (!version) {
      const what = wanted ? `staging label: ${wanted}` : `VersionId: ${id}`;
      throw new AwsError(
        'ResourceNotFoundException',
        `Secrets Manager can't find the specified secret value for ${what}`,
      );
    }
    return version;
  }

  /** Brings a replica up to its primary, here in the replica's Region. The suffix of the ARN is the primary's. */
  receive(primary: Secret, keyId: string | undefined, overwrite: boolean): void {
    const existing = this.lookup(primary.name);
    if (existing && existing.primaryRegion !== primary.primaryRegion && !overwrite) {
      throw new AwsError('InvalidRequestException', `A secret ${primary.name} exists in ${this.#home.region}.`);
    }
    const { keyId: _, ...shared } = primary;
    this.#secrets.set(primary.name, {
      ...shared,
      arn: primary.arn.replace(primary.primaryRegion, this.#home.region),
      ...(keyId && { keyId }),
      versions: primary.versions.map((version) => ({ ...version, stages: [...version.stages] })),
      replicas: new Map(),
    });
  }

  remove(secret: Secret): void {
    this.#secrets.delete(secret.name);
  }

  changed(secret: Secret): void {
    secret.changedAt = new Date(this.#home.clock.now());
  }
}

function suffix(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return [...randomBytes(6)].map((byte) => alphabet[byte % alphabet.length]).join('');
}
