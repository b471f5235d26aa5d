/** Roles, their inline policies and the managed policies they are attached to. One set for the account. */

import { createHash } from 'node:crypto';
import { parsePolicy } from '../../authorization/policy.ts';
import { AwsError, type PolicyDocument } from '../../kernel.ts';
import { remembered } from '../../remembered.ts';

export interface Role {
  readonly name: string;
  /** `/` or `/a/b/` */
  readonly path: string;
  readonly arn: string;
  /** `AROA…`, which sessions' user ids begin with. */
  readonly id: string;
  readonly trust: PolicyDocument;
  readonly description: string | undefined;
  readonly maxSessionSeconds: number;
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
  readonly createdMs: number;
  /** Inline policies by name. Changed through `Roles` alone, which knows what they add up to. */
  readonly inline: Map<string, PolicyDocument>;
  /** ARNs of managed policies, changed likewise. */
  readonly attached: Set<string>;
}

/** AWS-managed policies whose documents are known here: every other ARN would grant nobody knows what. */
const awsManaged: Readonly<Record<string, PolicyDocument>> = {
  'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole': {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: '*',
      },
    ],
  },
};

export class Roles {
  readonly byName = new Map<string, Role>();
  readonly #managed = new Map<string, PolicyDocument>(Object.entries(awsManaged));
  /** Until a role's policies change: every call of its sessions asks. */
  readonly #documents = new WeakMap<Role, readonly PolicyDocument[]>();
  readonly #account: string;

  constructor(account: string) {
    this.#account = account;
  }

  /** Throws EntityAlreadyExists, MalformedPolicyDocument, or NotImplemented for an unknown managed policy. */
  create(
    role: Pick<Role, 'name' | 'path' | 'description' | 'maxSessionSeconds' | 'tags' | 'createdMs'>,
    trust: unknown,
  ): Role {
    if (this.byName.has(role.name))
      throw new AwsError('EntityAlreadyExists', `Role with name ${role.name} already exists.`);
    const made: Role = {
      ...role,
      arn: this.arn('role', role.path, role.name),
      id: entityId('AROA', role.name),
      trust: parsePolicy(trust, 'trust'),
      inline: new Map(),
      attached: new Set(),
    };
    this.byName.set(role.name, made);
    return made;
  }

  arn(type: 'role' | 'policy', path: string, name: string): string {
    return `arn:aws:iam::${this.#account}:${type}${path}${name}`;
  }

  /** Throws NoSuchEntity. */
  get(name: string): Role {
    const role = this.byName.get(name);
    if (!role) throw new AwsError('NoSuchEntity', `The role with name ${name} cannot be found.`);
    return role;
  }

  find(arn: string): Role | undefined {
    const role = this.byName.get(arn.slice(arn.lastIndexOf('/') + 1));
    return role?.arn === arn ? role : undefined;
  }

  /** Adds or replaces an inline policy. */
  putInline(role: Role, name: string, document: unknown): void {
    role.inline.set(name, parsePolicy(document, 'identity'));
    this.#documents.delete(role);
  }

  /** Whether there was one of that name. */
  removeInline(role: Role, name: string): boolean {
    this.#documents.delete(role);
    return role.inline.delete(name);
  }

  addManaged(arn: string, document: unknown): void {
    if (this.#managed.has(arn)) throw new AwsError('EntityAlreadyExists', `A policy called ${arn} already exists.`);
    this.#managed.set(arn, parsePolicy(document, 'identity'));
  }

  attach(role: Role, policyArn: string): void {
    if (!this.#managed.has(policyArn)) {
      if (policyArn.startsWith('arn:aws:iam::aws:'))
        throw new AwsError(
          'NotImplemented',
          `${role.name}: the document of ${policyArn} is not known here; write it out`,
        );
      throw new AwsError('NoSuchEntity', `Policy ${policyArn} does not exist or is not attachable.`);
    }
    role.attached.add(policyArn);
    this.#documents.delete(role);
  }

  /** Inline and attached policies; none for a role that does not exist. */
  policiesOf(role: Role | undefined): readonly PolicyDocument[] {
    if (role === undefined) return [];
    let documents = this.#documents.get(role);
    if (documents === undefined) {
      const attached = [...role.attached].flatMap((arn) => this.#managed.get(arn) ?? []);
      documents = sameList([...role.inline.values(), ...attached]);
      this.#documents.set(role, documents);
    }
    return documents;
  }
}

interface Lists {
  readonly longer: WeakMap<PolicyDocument, Lists>;
  list?: readonly PolicyDocument[];
}
const lists: Lists = { longer: new WeakMap() };

/** One list for the same documents, whichever cloud has them: what was found out about it (evaluate.ts) is kept with it. */
function sameList(documents: readonly PolicyDocument[]): readonly PolicyDocument[] {
  let at = lists;
  for (const document of documents) {
    const next = at.longer.get(document) ?? { longer: new WeakMap() };
    at.longer.set(document, next);
    at = next;
  }
  at.list ??= documents;
  return at.list;
}

const hashOf = remembered((name: string) => createHash('sha256').update(name).digest('hex').slice(0, 17).toUpperCase());

/** A stable id in IAM's form, so that logs of two runs compare. Every session of a role says it. */
export function entityId(prefix: 'AROA' | 'ANPA', name: string): string {
  return prefix + hashOf(name);
}
