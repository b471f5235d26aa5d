import { namesOf } from '../../config/names.ts';
import { describeRules, only, type Properties, resourcesOf, type Stack, targetOf } from './stacks.ts';

const functionsOf = (stack: Stack): (Properties & { readonly id: string })[] =>
  resourcesOf(stack, 'AWS::Lambda::Function').map(([id, { Properties }]) => ({ id, ...Properties }));
const pathOf = ({ Handler }: Properties) => String(Handler).replace(/\.handler$/, '');
const restore = (stack: Stack) =>
  only(stack, 'AWS::Lambda::Function', (each) => each.Handler === 'database/restore-database.handler').properties;

/** Those that speak PostgreSQL, the Kubernetes API or the application's private address. */
const inVpc = [
  'backup/export-cluster',
  'cluster/assess-cluster',
  'cluster/await-cluster',
  'cluster/help-nodes',
  'cluster/validate-application',
  'cluster/watch-cluster',
  'database/assess-database',
  'database/await-usable',
  'database/await-workload',
  'database/check-parity',
  'database/cut-over',
  'database/fence-database',
  'database/fence-source',
  'database/look-for-damage',
  'database/prepare-database',
  'database/set-credentials',
  'database/write-heartbeat',
  'incident/clean-up-stopped',
  'incident/compensate',
  'readiness/look-at-cluster',
  'readiness/look-at-endpoint',
  'readiness/look-at-replica',
  'region/assess-region',
  'region/await-caught-up',
  'region/await-following',
  'region/await-promoted',
  'region/await-standby',
  'region/end-drill',
  'region/export-former',
  'region/fence-former',
  'region/fence-primary',
  'region/guard-database',
  'region/probe-primary',
  'region/scale-standby',
  'validation/plan-validation',
  'validation/run-check',
  'validation/validate-application',
  'validation/validate-performance',
];

/** Functions whose `wrong` says why they break a rule. */
const offenders =
  (wrong: (properties: ReturnType<typeof functionsOf>[number], stack: Stack) => boolean) => (stack: Stack) =>
    functionsOf(stack)
      .filter((each) => wrong(each, stack))
      .map(pathOf);

describeRules('functions', [
  {
    case: 'run on Node 24 and ARM64, traced',
    find: offenders(
      ({ Runtime, Architectures, TracingConfig }) =>
        Runtime !== 'nodejs24.x' || `${Architectures}` !== 'arm64' || TracingConfig?.Mode !== 'Active',
    ),
    broken: (stack) => {
      restore(stack).Architectures = ['x86_64'];
    },
  },
  {
    case: 'end within their own timeout, at most the 15 minutes of Lambda',
    find: offenders(({ Timeout }) => !(Number.isInteger(Timeout) && Timeout > 0 && Timeout <= 900)),
    broken: (stack) => void delete restore(stack).Timeout,
  },
  {
    case: 'have a role of their own, used by no other',
    find: (stack) => {
      const roles = functionsOf(stack).map(({ Role }) => targetOf(Role));
      return roles.filter((role, index) => roles.indexOf(role) !== index);
    },
    broken: (stack) => {
      const other = only(stack, 'AWS::Lambda::Function', (each) => each.Handler === 'database/tear-down.handler');
      restore(stack).Role = other.properties.Role;
    },
  },
  {
    case: 'have roles with nothing AWS-managed',
    find: (stack) =>
      resourcesOf(stack, 'AWS::IAM::Role')
        .filter(([, { Properties }]) => Properties.ManagedPolicyArns !== undefined)
        .map(([id]) => id),
    broken: (stack) => {
      const role = stack.template.Resources[targetOf(restore(stack).Role)];
      if (role) role.Properties.ManagedPolicyArns = ['arn:aws:iam::aws:policy/ReadOnlyAccess'];
    },
  },
  {
    case: 'have roles that only their service may assume',
    find: (stack) =>
      resourcesOf(stack, 'AWS::IAM::Role')
        .filter(([, { Properties }]) => {
          const trusted = JSON.stringify(
            Properties.AssumeRolePolicyDocument.Statement.map((each: { Principal: unknown }) => each.Principal),
          );
          return !/^\[\{"Service":"(lambda|states|scheduler|codebuild)\.amazonaws\.com"\}\]$/.test(trusted);
        })
        .map(([id]) => id),
    broken: (stack) => {
      const role = stack.template.Resources[targetOf(restore(stack).Role)];
      if (role) role.Properties.AssumeRolePolicyDocument.Statement[0].Principal = { AWS: '*' };
    },
  },
  {
    case: 'log to the group of their area with the configured retention, kept on delete',
    find: (stack) =>
      offenders(({ FunctionName, Handler, LoggingConfig }, { template, configuration }) => {
        const [area] = Handler.split('/');
        const group = template.Resources[targetOf(LoggingConfig?.LogGroup ?? 'none')];
        return (
          group?.Properties.LogGroupName !== `/aws/lambda/${namesOf(configuration).prefix}-${area}` ||
          !FunctionName.startsWith(`${namesOf(configuration).prefix}-${area}-`) ||
          group.Properties.RetentionInDays !== configuration.logRetentionDays ||
          group.DeletionPolicy !== 'Retain'
        );
      })(stack),
    broken: (stack) => {
      const group = stack.template.Resources[targetOf(restore(stack).LoggingConfig.LogGroup)];
      if (group) delete group.Properties.RetentionInDays;
    },
  },
  {
    case: 'are in the VPC exactly where they must reach a database, Kubernetes or the application',
    find: (stack) => {
      const inside = functionsOf(stack)
        .filter(({ VpcConfig }) => VpcConfig !== undefined)
        .map(pathOf);
      return [
        ...inside.filter((path) => !inVpc.includes(path)).map((path) => `${path} need not be inside`),
        ...inVpc.filter((path) => !inside.includes(path)).map((path) => `${path} is not inside`),
      ];
    },
    broken: (stack) => {
      restore(stack).VpcConfig = { SubnetIds: ['subnet-1'] };
    },
  },
  {
    case: 'run, inside the VPC, in the subnets and the group of their Region, with the CA of RDS',
    find: (stack) => {
      const { privateSubnetIds, functionSecurityGroupId } = stack.configuration[stack.role];
      return offenders(
        ({ VpcConfig, Environment }) =>
          VpcConfig !== undefined &&
          (`${VpcConfig.SubnetIds}` !== `${privateSubnetIds}` ||
            `${VpcConfig.SecurityGroupIds}` !== functionSecurityGroupId ||
            Environment.Variables.DATABASE_CA_FILE !== '/var/runtime/ca-cert.pem'),
      )(stack);
    },
    broken: (stack) => {
      const { properties } = only(
        stack,
        'AWS::Lambda::Function',
        ({ Handler }) => Handler === 'database/fence-database.handler',
      );
      properties.VpcConfig.SecurityGroupIds = ['sg-0'];
    },
  },
  {
    case: 'carry no secret and no other setting in their environment',
    find: offenders(({ Environment }) =>
      Object.keys(Environment.Variables).some(
        (name) => !['POWERTOOLS_LOG_LEVEL', 'POWERTOOLS_METRICS_NAMESPACE', 'DATABASE_CA_FILE'].includes(name),
      ),
    ),
    broken: (stack) => {
      restore(stack).Environment.Variables.PASSWORD = 'x';
    },
  },
]);
