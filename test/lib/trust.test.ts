import { describeRules, only, type Properties, resourcesOf, type Stack } from './stacks.ts';

const serviceOf = (statement: { Principal: { Service?: string } }) => statement.Principal.Service;
const rolesOf = (stack: Stack, service: string) =>
  resourcesOf(stack, 'AWS::IAM::Role').flatMap(([id, { Properties }]) =>
    Properties.AssumeRolePolicyDocument.Statement.filter((each: never) => serviceOf(each) === service).map(
      (statement: { Condition?: Record<string, Record<string, string>> }) => ({ id, statement }),
    ),
  );
/** Every policy that a role bears, within it or attached. */
const policiesOf = (stack: Stack) =>
  [
    ...resourcesOf(stack, 'AWS::IAM::Policy').map(([id, { Properties }]) => ({ id, policies: [Properties] })),
    ...resourcesOf(stack, 'AWS::IAM::Role').map(([id, { Properties }]) => ({
      id,
      policies: Properties.Policies ?? [],
    })),
  ].map(({ id, policies }) => ({
    id,
    statements: policies.flatMap((policy: Properties) => policy.PolicyDocument.Statement) as Properties[],
  }));
const urlPermissions = (stack: Stack) =>
  resourcesOf(stack, 'AWS::Lambda::Permission').map(([, { Properties }]) => Properties);

describeRules('trust', [
  ...['states.amazonaws.com', 'scheduler.amazonaws.com'].map((service) => ({
    case: `${service} assumes a role for this account and a named resource only, so that nobody else can send it here`,
    find: (stack: Stack) => {
      const found = rolesOf(stack, service);
      return found.length === 0
        ? ['no such role']
        : found
            .filter(
              ({ statement: { Condition } }) =>
                Condition?.StringEquals?.['aws:SourceAccount'] !== stack.configuration.account ||
                !/^arn:aws:(states|scheduler):/.test(Condition.ArnEquals?.['aws:SourceArn'] ?? ''),
            )
            .map(({ id }) => id);
    },
    broken: (stack: Stack) => {
      for (const { statement } of rolesOf(stack, service)) delete statement.Condition;
    },
  })),
  {
    case: 'each approver may invoke the approval URL, and the function through the URL alone',
    where: ({ role }) => role === 'dr',
    find: (stack) =>
      stack.configuration.approverRoleArns.flatMap((approver) => {
        const mine = urlPermissions(stack).filter(({ Principal }) => Principal === approver);
        const url = mine.some(
          ({ Action, FunctionUrlAuthType }) =>
            Action === 'lambda:InvokeFunctionUrl' && FunctionUrlAuthType === 'AWS_IAM',
        );
        const through = mine.some(
          ({ Action, InvokedViaFunctionUrl }) => Action === 'lambda:InvokeFunction' && InvokedViaFunctionUrl === true,
        );
        return url && through ? [] : [approver];
      }),
    broken: (stack) => {
      const { properties } = only(
        stack,
        'AWS::Lambda::Permission',
        ({ InvokedViaFunctionUrl }) => InvokedViaFunctionUrl === true,
      );
      properties.InvokedViaFunctionUrl = false;
    },
  },
  {
    case: 'restoring, configuring, copying and replicating may use the keys of databases, through RDS alone',
    find: (stack) => {
      const grants = policiesOf(stack).flatMap(({ id, statements }) =>
        statements
          .filter(({ Action }) => Action === 'kms:CreateGrant')
          .map(({ Condition }) => ({ id, Condition: Condition as Record<string, Record<string, string>> | undefined })),
      );
      return [
        // A copy needs the source's key and the other Region's; replication the latter. Three make replicas.
        ...(grants.length === 8 ? [] : [`${grants.length} grants`]),
        ...grants
          .filter(({ Condition }) => {
            const { primary, dr } = stack.configuration;
            const through = [primary.region, dr.region].map((region) => `rds.${region}.amazonaws.com`);
            return !through.includes(Condition?.StringEquals?.['kms:ViaService'] ?? '');
          })
          .map(({ id }) => id),
      ];
    },
    broken: (stack) => {
      for (const { statements } of policiesOf(stack))
        for (const statement of statements) if (statement.Action === 'kms:CreateGrant') delete statement.Condition;
    },
  },
]);
