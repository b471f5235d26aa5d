/** The parameters of one Region with all their versions. */
import { AwsError, type Home } from '../../kernel.ts';

export type ParameterType = 'String' | 'StringList' | 'SecureString';

export interface ParameterVersion {
  readonly value: string;
  readonly type: ParameterType;
  readonly version: number;
  readonly modifiedAt: Date;
  readonly modifiedBy: string;
  readonly keyId?: string;
}

export interface Parameter {
  readonly name: string;
  readonly arn: string;
  description?: string;
  allowedPattern?: string;
  tier: string;
  dataType: string;
  readonly tags: Map<string, string>;
  readonly versions: ParameterVersion[];
}

export type ParameterChange = Pick<Parameter, 'name' | 'description' | 'allowedPattern'> &
  Pick<ParameterVersion, 'value' | 'keyId'> & {
    type?: ParameterType;
    overwrite?: boolean;
    tier?: string;
    dataType?: string;
    by: string;
  };

/** Parameter Store keeps the hundred newest versions. */
const KEPT_VERSIONS = 100;

export class ParameterStore {
  readonly parameters = new Map<string, Parameter>();
  readonly #home: Home;
  constructor(home: Home) {
    this.#home = home;
  }

  /** `arn:…:parameter/a/b` for `/a/b`, `arn:…:parameter/a` for `a`. */
  arn(name: string): string {
    return `arn:aws:ssm:${this.#home.region}:${this.#home.account}:parameter/${name.replace(/^\//, '')}`;
  }

  put(change: ParameterChange): Parameter {
    const existing = this.parameters.get(change.name);
    if (existing && !change.overwrite) {
      throw new AwsError(
        'ParameterAlreadyExists',
        'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
      );
    }
    const type = change.type ?? existing?.versions.at(-1)?.type;
    if (!type) throw new AwsError('ValidationException', 'A parameter type is required when you create a parameter.');
    if (existing && existing.versions.at(-1)?.type !== type) {
      throw new AwsError('HierarchyTypeMismatchException', `The type of ${change.name} cannot be changed to ${type}.`);
    }
    const pattern = change.allowedPattern ?? existing?.allowedPattern;
    if (pattern && !new RegExp(pattern).test(change.value)) {
      throw new AwsError(
        'ParameterPatternMismatchException',
        `Parameter value, cannot be validated against allowedPattern: ${pattern}`,
      );
    }
    const parameter: Parameter = existing ?? {
      name: change.name,
      arn: this.arn(change.name),
      tier: 'Standard',
      dataType: 'text',
      tags: new Map(),
      versions: [],
    };
    if (change.description !== undefined) parameter.description = change.description;
    if (pattern !== undefined) parameter.allowedPattern = pattern;
    parameter.tier = change.tier ?? parameter.tier;
    parameter.dataType = change.dataType ?? parameter.dataType;
    parameter.versions.push({
      value: change.value,
      type,
      version: (parameter.versions.at(-1)?.version ?? 0) + 1,
      modifiedAt: new Date(this.#home.clock.now()),
      modifiedBy: change.by,
      ...(type === 'SecureString' && { keyId: change.keyId ?? 'alias/aws/ssm' }),
    });
    parameter.versions.splice(0, parameter.versions.length - KEPT_VERSIONS);
    this.parameters.set(change.name, parameter);
    return parameter;
  }

  /** Takes `name`, `name:version` or the parameter's ARN. Undefined when there is no such parameter; throws ParameterVersionNotFound. */
  find(selector: string): { parameter: Parameter; version: ParameterVersion; selector?: string } | undefined {
    const [name = '', wanted] = this.nameOf(selector).split(':');
    const parameter = this.parameters.get(name);
    if (!parameter) return undefined;
    const version = wanted
      ? parameter.versions.find((each) => String(each.version) === wanted)
      : parameter.versions.at(-1);
    if (!version)
      throw new AwsError('ParameterVersionNotFound', `Systems Manager could not find version ${wanted} of ${name}.`);
    return { parameter, version, ...(wanted && { selector: `:${wanted}` }) };
  }

  /** A parameter's name behind a name or an ARN, the version kept. */
  nameOf(selector: string): string {
    const path = /^arn:aws:ssm:[^:]+:\d+:parameter(\/.+)$/.exec(selector)?.[1];
    if (!path) return selector;
    return this.parameters.has(path.split(':')[0] ?? '') ? path : path.slice(1);
  }
}
