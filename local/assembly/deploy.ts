/** Creates the resources of a cloud assembly's stacks in the embedded cloud, as CloudFormation would create them. */
import type { ResourceContext, ResourceProvider, ResourceResult } from '../kernel.ts';
import { publishAssets } from './assets.ts';
import { noValue, references, resolve, resolveOnce, type Scope } from './intrinsics.ts';
import { readStacks, type Stack } from './manifest.ts';
import { checkTemplate, type Resource, type Template, TemplateError } from './template.ts';

export interface DeployTarget {
  readonly account: string;
  readonly dataDirectory: string;
  /** What creates resources of that type in that Region; undefined when nothing does. */
  provider(type: string, region: string): ResourceProvider | undefined;
  /** The value of an SSM parameter, for template parameters of an SSM type. */
  ssmParameter(name: string, region: string): Promise<string>;
}

/** A stack as it was deployed. `outputs` are resolved; `resources` maps logical ids to what Ref answers. */
export interface DeployedStack {
  readonly name: string;
  readonly region: string;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly resources: Readonly<Record<string, string>>;
}

export interface Deployer {
  /** Deploys the assembly's stacks, each after those it depends on. Throws at the first failure, naming stack, logical id and type. */
  deploy(assemblyDirectory: string): Promise<readonly DeployedStack[]>;
  stacks(): readonly DeployedStack[];
}

/** The version that the modern bootstrap stack records; templates refuse those before 6. */
const bootstrapVersion = '30';
const isBootstrapVersion = /^\/cdk-bootstrap\/[a-z0-9]+\/version$/;

export function createDeployer(target: DeployTarget): Deployer {
  const deployed: DeployedStack[] = [];
  /** Exports are unique per Region: `<region>/<name>`. */
  const exports = new Map<string, unknown>();

  async function deployStack(stack: Stack): Promise<DeployedStack> {
    if (deployed.some(({ name, region }) => name === stack.name && region === stack.region)) {
      throw new TemplateError(`stack ${stack.name} is deployed in ${stack.region} already; stacks are not updated`);
    }
    if (stack.account !== target.account) {
      throw new TemplateError(`stack ${stack.name} is of account ${stack.account}, this cloud is ${target.account}`);
    }
    checkTemplate(stack.name, stack.template);
    const results = new Map<string, ResourceResult>();
    const scope = scopeOf(stack, await parametersOf(stack, target), results, exports);
    checkRules(stack, scope);
    for (const logicalId of creationOrder(stack, scope)) {
      const resource = stack.template.Resources?.[logicalId];
      if (resource !== undefined) results.set(logicalId, await createResource(stack, logicalId, resource, scope));
    }
    const outputs = outputsOf(stack, scope, exports);
    const resources = Object.fromEntries([...results].map(([logicalId, { ref }]) => [logicalId, ref]));
    return { name: stack.name, region: stack.region, outputs, resources };
  }

  async function createResource(stack: Stack, logicalId: string, resource: Resource, scope: Scope) {
    const { name: stackName, account, region, assemblyDirectory } = stack;
    const context: ResourceContext = { stackName, logicalId, account, region, assemblyDirectory };
    try {
      const provider = target.provider(resource.Type, region);
      if (provider === undefined) throw new TemplateError('the embedded cloud has no such resource type');
      const properties = resolveOnce(resource.Properties ?? none, scope) as Record<string, unknown>;
      return await provider.create(properties, context);
    } catch (cause) {
      const reason =
        cause instanceof Error ? `${cause.name === 'Error' ? '' : `${cause.name}: `}${cause.message}` : cause;
      throw new TemplateError(`stack ${stackName} (${region}), ${logicalId} (${resource.Type}): ${reason}`, { cause });
    }
  }

  return {
    async deploy(assemblyDirectory) {
      const stacks = readStacks(assemblyDirectory);
      publishAssets(assemblyDirectory, target.dataDirectory);
      const made: DeployedStack[] = [];
      for (const stack of stacks) {
        made.push(await deployStack(stack));
        deployed.push(...made.slice(-1));
      }
      return made;
    },
    stacks: () => deployed,
  };
}

const none = {};

async function parametersOf(stack: Stack, target: DeployTarget): Promise<ReadonlyMap<string, unknown>> {
  const values = new Map<string, unknown>();
  for (const [name, { Type: type, Default: byDefault }] of Object.entries(stack.template.Parameters ?? {})) {
    if (byDefault === undefined) throw new TemplateError(`stack ${stack.name}: the parameter ${name} has no default`);
    if (!type.startsWith('AWS::SSM::Parameter::Value<')) values.set(name, byDefault);
    else if (isBootstrapVersion.test(`${byDefault}`)) values.set(name, bootstrapVersion);
    else values.set(name, await target.ssmParameter(`${byDefault}`, stack.region));
  }
  return values;
}

function scopeOf(
  stack: Stack,
  parameters: ReadonlyMap<string, unknown>,
  results: ReadonlyMap<string, ResourceResult>,
  exports: ReadonlyMap<string, unknown>,
): Scope {
  const pseudo: Readonly<Record<string, unknown>> = {
    'AWS::AccountId': stack.account,
    'AWS::Region': stack.region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stack.name,
    'AWS::StackId': `arn:aws:cloudformation:${stack.region}:${stack.account}:stack/${stack.name}/embedded`,
    'AWS::NotificationARNs': [],
    'AWS::NoValue': noValue,
  };
  const conditions = new Map<string, boolean>();
  const scope: Scope = {
    ref: (name) => pseudo[name] ?? parameters.get(name) ?? results.get(name)?.ref,
    attribute: (logicalId, attribute) => at(results.get(logicalId)?.attributes, attribute),
    condition(name) {
      const expression = stack.template.Conditions?.[name];
      if (expression !== undefined && !conditions.has(name)) conditions.set(name, resolve(expression, scope) === true);
      return conditions.get(name);
    },
    mapping: (map, key, secondKey) => stack.template.Mappings?.[map]?.[key]?.[secondKey],
    exported: (name) => exports.get(`${stack.region}/${name}`),
  };
  return scope;
}

/** Attributes are named flat (`Endpoint.Address`) or nested. */
function at(attributes: Readonly<Record<string, unknown>> | undefined, path: string): unknown {
  if (attributes === undefined || path in attributes) return attributes?.[path];
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], attributes);
}

function checkRules(stack: Stack, scope: Scope): void {
  for (const [name, rule] of Object.entries(stack.template.Rules ?? {})) {
    if (rule.RuleCondition !== undefined && resolve(rule.RuleCondition, scope) !== true) continue;
    for (const { Assert: assertion, AssertDescription: description } of rule.Assertions) {
      if (resolve(assertion, scope) !== true) {
        throw new TemplateError(`stack ${stack.name}: the rule ${name} does not hold: ${description ?? ''}`);
      }
    }
  }
}

/** By template and by what its conditions say: one cloud after another deploys the same ones. */
const orders = new WeakMap<Template, Map<string, readonly string[]>>();

function creationOrder(stack: Stack, scope: Scope): readonly string[] {
  const { template } = stack;
  const known = orders.get(template) ?? new Map<string, readonly string[]>();
  const said = Object.keys(template.Conditions ?? {})
    .map((name) => scope.condition(name))
    .join();
  const order = known.get(said) ?? findOrder(stack, existing(template, scope));
  orders.set(template, known.set(said, order));
  return order;
}

/** Logical ids, each after those that it refers to or depends on; in the template's order where that leaves a choice. */
function findOrder(stack: Stack, resources: ReadonlyMap<string, Resource>): readonly string[] {
  const order = new Set<string>();
  const visit = (logicalId: string, path: readonly string[]) => {
    if (order.has(logicalId)) return;
    if (path.includes(logicalId)) {
      throw new TemplateError(`stack ${stack.name}: circular dependency ${[...path, logicalId].join(' → ')}`);
    }
    const resource = resources.get(logicalId);
    for (const name of [...references(resource?.Properties), ...[resource?.DependsOn ?? []].flat()]) {
      if (resources.has(name)) visit(name, [...path, logicalId]);
    }
    order.add(logicalId);
  };
  for (const logicalId of resources.keys()) visit(logicalId, []);
  return [...order];
}

/** The resources whose condition holds. The CDK's metadata describes the CDK and creates nothing. */
function existing(template: Template, scope: Scope): ReadonlyMap<string, Resource> {
  return new Map(
    Object.entries(template.Resources ?? {}).filter(
      ([, { Type: type, Condition: condition }]) =>
        type !== 'AWS::CDK::Metadata' && (condition === undefined || scope.condition(condition)),
    ),
  );
}

function outputsOf(stack: Stack, scope: Scope, exports: Map<string, unknown>): Readonly<Record<string, unknown>> {
  const outputs: Record<string, unknown> = {};
  for (const [name, output] of Object.entries(stack.template.Outputs ?? {})) {
    if (output.Condition !== undefined && !scope.condition(output.Condition)) continue;
    outputs[name] = resolve(output.Value, scope);
    if (output.Export === undefined) continue;
    const key = `${stack.region}/${resolve(output.Export.Name, scope)}`;
    if (exports.has(key)) throw new TemplateError(`stack ${stack.name}: the export ${key} exists already`);
    exports.set(key, outputs[name]);
  }
  return outputs;
}
