/** Parameter groups: their values reach postgresql.conf, dynamic ones at once, static ones at a reboot. */
import type * as sdk from '@aws-sdk/client-rds';
import { AwsError, type Operation } from '../../kernel.ts';
import { notImplemented, operation } from '../declare.ts';
import { type AccessRules, requestTags } from './access.ts';
import { defaultParameterGroup, family } from './defaults.ts';
import { paginate } from './describe.ts';
import type { ParameterDescription } from './engine.ts';
import { invalidCombination, invalidValue, missing, parameterGroupNotFound } from './errors.ts';
import { configurationOf, instanceEvent } from './lifecycle.ts';
import { type ParameterGroup, type Region, tagMap } from './state.ts';

/** Parameters of RDS itself. */
const ownParameters: readonly ParameterDescription[] = [
  {
    name: 'rds.force_ssl',
    description: 'Force SSL connections.',
    dataType: 'boolean',
    allowedValues: '0,1',
    defaultValue: '1',
    applyType: 'dynamic',
    modifiable: true,
  },
];

/** Libraries that come with the embedded cloud. */
const preloadable = ['pg_stat_statements', 'auto_explain', 'pg_prewarm'];
const mostPerCall = 20;

export function parameterGroupOperations(region: Region, rules: AccessRules): Record<string, Operation> {
  const parameters = async () => [...(await (await region.engine).describeParameters()), ...ownParameters];
  const defaultGroup = async (): Promise<ParameterGroup> => {
    const { version } = await region.engine;
    const description = `Default parameter group for ${family(version)}`;
    return {
      name: defaultParameterGroup(version),
      family: family(version),
      description,
      tags: new Map(),
      values: new Map(),
    };
  };
  const find = async (name: string | undefined): Promise<ParameterGroup> => {
    const fallback = await defaultGroup();
    const group = name === fallback.name ? fallback : region.parameterGroups.get(name?.toLowerCase() ?? '');
    if (group === undefined) throw parameterGroupNotFound(name ?? '');
    return group;
  };
  const findOwn = async (name: string | undefined): Promise<ParameterGroup> => {
    const group = await find(name);
    if (group.name.startsWith('default.'))
      throw invalidValue(`Default DBParameterGroup cannot be modified: ${group.name}`);
    return group;
  };
  const show = (group: ParameterGroup) => ({
    DBParameterGroupName: group.name,
    DBParameterGroupFamily: group.family,
    Description: group.description,
    DBParameterGroupArn: region.arn('pg', group.name),
  });
  const onGroup = (action: string) => (input: { DBParameterGroupName: string | undefined }) =>
    rules.parameterGroup(action, input.DBParameterGroupName);

  /** Changes values of a group and of the instances that use it. */
  const change = async (group: ParameterGroup, changes: ReadonlyMap<string, Change>): Promise<void> => {
    for (const [name, { value }] of changes) set(group.values, name, value);
    for (const instance of region.instances.values()) {
      if (instance.parameterGroup !== group.name) continue;
      const now = [...changes].filter(([, { immediately }]) => immediately);
      if (now.length < changes.size) instance.parameterStatus = 'pending-reboot';
      if (now.length === 0) continue;
      const running = new Map(Object.entries(instance.parameters));
      for (const [name, { value }] of now) set(running, name, value);
      instance.parameters = Object.fromEntries(running);
      if (!['available', 'storage-optimization'].includes(instance.status)) continue;
      await instance.database?.reload(await configurationOf(region, instance));
      instanceEvent(region, instance, 'RDS-EVENT-0092');
    }
  };

  return {
    CreateDBParameterGroup: operation<sdk.CreateDBParameterGroupCommandInput, sdk.CreateDBParameterGroupCommandOutput>(
      ['DBParameterGroupName', 'DBParameterGroupFamily', 'Description', 'Tags'],
      (input) => {
        const { DBParameterGroupName: name, Tags } = input;
        const action = 'CreateDBParameterGroup';
        return [
          rules.parameterGroup(action, name, requestTags(Tags)),
          ...rules.addTags(region.arn('pg', name ?? '*'), Tags),
        ];
      },
      async (input) => {
        const { version } = await region.engine;
        const name = input.DBParameterGroupName?.toLowerCase() ?? '';
        if (!/^[a-z](-?[a-z0-9.])*$/.test(name) || name.length > 255 || name.startsWith('default.')) {
          throw invalidValue(`The parameter DBParameterGroupName is not a valid identifier: ${name}`);
        }
        if (input.DBParameterGroupFamily !== family(version)) {
          throw invalidValue(
            `DBParameterGroupFamily ${input.DBParameterGroupFamily} is not ${family(version)}, which the embedded cloud runs`,
          );
        }
        if (region.parameterGroups.has(name)) {
          throw new AwsError('DBParameterGroupAlreadyExistsFault', `Parameter group ${name} already exists`);
        }
        const description = input.Description;
        if (description === undefined) throw missing('Description');
        const group: ParameterGroup = {
          name,
          family: family(version),
          description,
          tags: tagMap(input.Tags),
          values: new Map(),
        };
        region.parameterGroups.set(name, group);
        return { DBParameterGroup: show(group) };
      },
    ),

    DescribeDBParameterGroups: operation<
      sdk.DescribeDBParameterGroupsCommandInput,
      sdk.DescribeDBParameterGroupsCommandOutput
    >(
      ['DBParameterGroupName', 'MaxRecords', 'Marker'],
      (input) => rules.parameterGroup('DescribeDBParameterGroups', input.DBParameterGroupName),
      async (input) => {
        const name = input.DBParameterGroupName;
        const all =
          name === undefined ? [await defaultGroup(), ...region.parameterGroups.values()] : [await find(name)];
        const { items, ...marker } = paginate(all, input);
        return { DBParameterGroups: items.map(show), ...marker };
      },
    ),

    ModifyDBParameterGroup: operation<sdk.ModifyDBParameterGroupCommandInput, sdk.ModifyDBParameterGroupCommandOutput>(
      ['DBParameterGroupName', 'Parameters'],
      onGroup('ModifyDBParameterGroup'),
      async (input) => {
        const group = await findOwn(input.DBParameterGroupName);
        const given = input.Parameters ?? [];
        if (given.length === 0) throw missing('Parameters');
        if (given.length > mostPerCall)
          throw invalidValue(`No more than ${mostPerCall} parameters can be modified at once.`);
        const known = await parameters();
        const changes = given.map((parameter): [string, Change] => {
          const described = known.find(({ name }) => name === parameter.ParameterName);
          const immediately = parameter.ApplyMethod === 'immediate';
          const value = parameter.ParameterValue;
          if (value === undefined) throw missing('ParameterValue');
          return [check(described, parameter.ParameterName, value, immediately), { value, immediately }];
        });
        await change(group, new Map(changes));
        return { DBParameterGroupName: group.name };
      },
    ),

    ResetDBParameterGroup: operation<sdk.ResetDBParameterGroupCommandInput, sdk.ResetDBParameterGroupCommandOutput>(
      ['DBParameterGroupName', 'Parameters', 'ResetAllParameters'],
      onGroup('ResetDBParameterGroup'),
      async (input) => {
        const group = await findOwn(input.DBParameterGroupName);
        const all = input.ResetAllParameters ?? true;
        if (all && input.Parameters?.length)
          throw invalidCombination('Parameters cannot be given with ResetAllParameters.');
        const names = all
          ? [...group.values.keys()]
          : (input.Parameters ?? []).map(({ ParameterName }) => ParameterName ?? '');
        const known = await parameters();
        const changes = names.map((name): [string, Change] => {
          const dynamic = known.find((parameter) => parameter.name === name)?.applyType === 'dynamic';
          const method = input.Parameters?.find(({ ParameterName }) => ParameterName === name)?.ApplyMethod;
          return [name, { value: undefined, immediately: dynamic && method !== 'pending-reboot' }];
        });
        await change(group, new Map(changes));
        return { DBParameterGroupName: group.name };
      },
    ),

    DescribeDBParameters: operation<sdk.DescribeDBParametersCommandInput, sdk.DescribeDBParametersCommandOutput>(
      ['DBParameterGroupName', 'Source', 'MaxRecords', 'Marker'],
      onGroup('DescribeDBParameters'),
      async (input) => {
        const group = await find(input.DBParameterGroupName);
        const described = (await parameters()).map((parameter) => showParameter(parameter, group));
        const { items, ...marker } = paginate(
          described.filter(({ Source }) => input.Source === undefined || Source === input.Source),
          input,
        );
        return { Parameters: [...items], ...marker };
      },
    ),

    DeleteDBParameterGroup: operation<sdk.DeleteDBParameterGroupCommandInput, sdk.DeleteDBParameterGroupCommandOutput>(
      ['DBParameterGroupName'],
      onGroup('DeleteDBParameterGroup'),
      async (input) => {
        const group = await findOwn(input.DBParameterGroupName);
        if ([...region.instances.values()].some(({ parameterGroup }) => parameterGroup === group.name)) {
          throw new AwsError(
            'InvalidDBParameterGroupStateFault',
            `One or more database instances are still members of this parameter group ${group.name}, so the group cannot be deleted`,
          );
        }
        region.parameterGroups.delete(group.name);
        return {};
      },
    ),
  };
}

interface Change {
  /** undefined resets it. */
  readonly value: string | undefined;
  readonly immediately: boolean;
}

function set(values: Map<string, string>, name: string, value: string | undefined): void {
  if (value === undefined) values.delete(name);
  else values.set(name, value);
}

/** Returns the parameter's name, or throws why it cannot take the value. */
function check(
  described: ParameterDescription | undefined,
  name: string | undefined,
  value: string,
  immediately: boolean,
): string {
  if (described === undefined) throw invalidValue(`Could not find parameter with name: ${name}`);
  if (!described.modifiable) throw invalidValue(`The parameter ${name} cannot be modified.`);
  if (immediately && described.applyType === 'static') {
    throw invalidCombination(`cannot use immediate apply method for static parameter (${name})`);
  }
  if (/[{}]/.test(value)) throw notImplemented(`formulas in parameters (${name})`);
  if (name === 'shared_preload_libraries') {
    const stranger = value.split(',').find((library) => !preloadable.includes(library.trim()));
    if (stranger !== undefined) throw notImplemented(`the library ${stranger} in ${name}`);
  }
  if (!isAllowed(described, value)) {
    throw invalidValue(`Invalid parameter value: ${value} for: ${name} allowed values are: ${described.allowedValues}`);
  }
  return described.name;
}

function isAllowed({ dataType, allowedValues }: ParameterDescription, value: string): boolean {
  if (dataType === 'boolean') return ['0', '1', 'on', 'off', 'true', 'false'].includes(value);
  if (dataType === 'string') return allowedValues === undefined || allowedValues.split(',').includes(value);
  const range = /^(-?[\d.e+]+)-(-?[\d.e+]+)$/i.exec(allowedValues ?? '');
  const number = Number(value);
  return (
    value !== '' &&
    !Number.isNaN(number) &&
    (range === null || (number >= Number(range[1]) && number <= Number(range[2])))
  );
}

function showParameter(parameter: ParameterDescription, group: ParameterGroup): sdk.Parameter {
  const own = group.values.get(parameter.name);
  const value = own ?? parameter.defaultValue;
  return {
    ParameterName: parameter.name,
    Description: parameter.description,
    Source: own === undefined ? 'engine-default' : 'user',
    ApplyType: parameter.applyType,
    DataType: parameter.dataType,
    IsModifiable: parameter.modifiable,
    ApplyMethod: parameter.applyType === 'static' ? 'pending-reboot' : 'immediate',
    ...(value !== undefined && { ParameterValue: value }),
    ...(parameter.allowedValues !== undefined && { AllowedValues: parameter.allowedValues }),
  };
}
