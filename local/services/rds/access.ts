/** What each action presents to IAM: resources and condition keys of the Service Authorization Reference for Amazon RDS. */
import type { Access } from '../../kernel.ts';
import type { Region, Settings, Tags } from './state.ts';

interface TagInput {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

type Conditions = Record<string, string | readonly string[] | undefined>;

const engineName = 'postgres';

/** Builds the accesses of one Region; every resource is an access of its own, because tags differ by resource. */
export class AccessRules {
  readonly #region: Region;
  constructor(region: Region) {
    this.#region = region;
  }

  instance(action: string, identifier: string | undefined, request: Conditions = {}): Access {
    const id = identifier?.toLowerCase() ?? '*';
    const instance = this.#region.instances.get(id);
    return this.#access(action, this.#region.arn('db', id), {
      ...(instance && { ...tagConditions('db', instance.tags), ...settingConditions(instance.settings) }),
      ...request,
    });
  }

  /** An instance that does not exist yet, with the settings it is asked for. */
  newInstance(
    action: string,
    identifier: string | undefined,
    settings: Partial<Settings>,
    request: Conditions,
  ): Access {
    const arn = this.#region.arn('db', identifier?.toLowerCase() ?? '*');
    return this.#access(action, arn, { ...settingConditions(settings), ...request });
  }

  snapshot(action: string, identifier: string | undefined, request: Conditions = {}): Access {
    const id = identifier?.toLowerCase() ?? '*';
    const tags = this.#region.snapshots.get(id)?.tags;
    return this.#access(action, this.#region.arn('snapshot', id), { ...tagConditions('snapshot', tags), ...request });
  }

  parameterGroup(action: string, name: string | undefined, request: Conditions = {}): Access {
    const tags = this.#region.parameterGroups.get(name ?? '')?.tags;
    return this.#access(action, this.#region.arn('pg', name ?? '*'), { ...tagConditions('pg', tags), ...request });
  }

  subnetGroup(action: string, name: string | undefined, request: Conditions = {}): Access {
    const tags = this.#region.subnetGroups.get(name ?? '')?.tags;
    return this.#access(action, this.#region.arn('subgrp', name ?? '*'), {
      ...tagConditions('subgrp', tags),
      ...request,
    });
  }

  optionGroup(action: string, name: string, request: Conditions = {}): Access {
    return this.#access(action, this.#region.arn('og', name), request);
  }

  automatedBackup(action: string, arn: string): Access {
    return this.#access(action, arn, {});
  }

  /** An action on anything that carries tags, by ARN. */
  tagged(action: string, arn: string | undefined, request: Conditions = {}): Access {
    const [type, ...name] = (arn ?? '').split(':').slice(5);
    const id = name.join(':');
    if (type === 'db') return this.instance(action, id, request);
    if (type === 'snapshot') return this.snapshot(action, id, request);
    if (type === 'pg') return this.parameterGroup(action, id, request);
    if (type === 'subgrp') return this.subnetGroup(action, id, request);
    return this.#access(action, arn ?? '*', request);
  }

  /** Tags that a creating call passes need rds:AddTagsToResource on what is created. */
  addTags(arn: string, tags: readonly TagInput[] | undefined): readonly Access[] {
    return tags?.length ? [this.#access('AddTagsToResource', arn, requestTags(tags))] : [];
  }

  /** Enhanced Monitoring hands the role to RDS. */
  passRole(roleArn: string | undefined): readonly Access[] {
    if (roleArn === undefined) return [];
    const conditions = { 'iam:PassedToService': 'monitoring.rds.amazonaws.com' };
    return [{ action: 'iam:PassRole', resources: [roleArn], conditions }];
  }

  #access(action: string, arn: string, conditions: Conditions): Access {
    return { action: `rds:${action}`, resources: [arn], conditions };
  }
}

/**
 * Of what a call needs in another Region, where RDS calls on its caller's behalf: a policy that names one requested
 * Region, or denies calls by AWS services, denies it (User Guide, "Requesting a cross-Region DB snapshot copy").
 */
export function viaRds(region: Region, other: Region): Conditions {
  if (other === region) return {};
  return {
    'aws:RequestedRegion': other.home.region,
    'aws:ViaAWSService': 'true',
    'aws:CalledVia': ['rds.amazonaws.com'],
  };
}

/** Condition keys of the tags that a request passes. */
export function requestTags(tags: readonly TagInput[] | undefined): Conditions {
  if (!tags?.length) return {};
  const conditions: Conditions = { 'aws:TagKeys': tags.map(({ Key }) => Key ?? '') };
  for (const { Key, Value } of tags) {
    conditions[`aws:RequestTag/${Key}`] = Value ?? '';
    conditions[`rds:req-tag/${Key}`] = Value ?? '';
  }
  return conditions;
}

function tagConditions(type: 'db' | 'snapshot' | 'pg' | 'subgrp', tags: Tags | undefined): Conditions {
  return Object.fromEntries(
    [...(tags ?? [])].flatMap(([key, value]) => [
      [`aws:ResourceTag/${key}`, value],
      [`rds:${type}-tag/${key}`, value],
    ]),
  );
}

function settingConditions(settings: Partial<Settings>): Conditions {
  const { DBInstanceClass, AllocatedStorage, MultiAZ, StorageEncrypted, Iops } = settings;
  return {
    'rds:DatabaseEngine': engineName,
    'rds:DatabaseClass': DBInstanceClass,
    'rds:StorageSize': AllocatedStorage?.toString(),
    'rds:MultiAz': MultiAZ?.toString(),
    'rds:StorageEncrypted': StorageEncrypted?.toString(),
    'rds:Piops': Iops?.toString(),
  };
}
