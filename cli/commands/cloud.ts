/** `dr cloud`: serves the embedded cloud, with the product deployed and STOCKER Pro running, until stopped. */
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { namesOf } from '../../config/names.ts';
import type { Configuration } from '../../config/schema.ts';
import { type ExitCode, exitCodes, UsageError } from '../exit-codes.ts';
import { dr, hintsAreFor } from '../hints.ts';
import { type Installation, install } from '../installation.ts';
import type { CloudOptions } from '../options.ts';
import { Screen } from '../screen.ts';

export async function cloud(options: CloudOptions): Promise<ExitCode> {
  const screen = new Screen();
  screen.heading(`The embedded cloud, ${options.environment}`);
  const installation = await install({
    ...options,
    standby: true,
    onStage: (name, seconds, result) => screen.item('good', name, seconds, result),
    onStart: (names) => screen.living(names.length > 0 ? `  … ${names.join(', ')}` : ''),
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new UsageError(`--port ${options.port} is in use. Give another, or leave it out for any free one.`);
  });
  await backUp(installation);
  for (const line of instructions(installation)) screen.line(line);
  await stopped();
  await installation.stop();
  return exitCodes.passed;
}

function recoveries({ environment, database }: Configuration): string[] {
  hintsAreFor(environment, undefined);
  const look = ['Whether a recovery would work:', `  ${dr('readiness --run')}`];
  const move = [
    'Production in the other Region, without loss, two minutes from now:',
    `  ${dr(`failover --style graceful --reason 'a first look' --confirm ${environment}`)}`,
  ];
  return database.regionProtection === 'replica' ? [...look, ...move] : look;
}

/** Begins the day's backup, which readiness and a failover ask for; it is made while people read. */
async function backUp({ clients: { sfn }, configuration }: Installation): Promise<void> {
  const stateMachineArn = namesOf(configuration).stateMachineArn(configuration.primary.region, 'backup');
  await sfn.send(new StartExecutionCommand({ stateMachineArn, input: '{}' }));
}

/** Lines to paste: they are run as they stand by test/cli/clients.test.ts. */
export function instructions({ cloud: { endpoint }, configuration, apiUrl }: Installation): string[] {
  const { region } = configuration.primary;
  const names = namesOf(configuration);
  const machine = names.stateMachineArn(region, 'database-recovery');
  return [
    '',
    'Point any AWS client at it:',
    `  export AWS_ENDPOINT_URL=${endpoint} AWS_DEFAULT_REGION=${region}`,
    '  export AWS_ACCESS_KEY_ID=operator AWS_SECRET_ACCESS_KEY=operator',
    '',
    'For example:',
    // `aws rds` of version 1 does not honour the variable: it would ask AWS.
    '  aws rds describe-db-instances --endpoint-url $AWS_ENDPOINT_URL',
    `  aws stepfunctions start-execution --state-machine-arn ${machine} --input '{"reason":"a first look"}'`,
    `  aws dynamodb scan --table-name ${names.incidentTable}`,
    '  aws s3 ls',
    `  curl -H 'x-tenant: 2' ${apiUrl}/products`,
    '',
    ...recoveries(configuration),
    '',
    'Ctrl-C ends it and leaves nothing behind.',
  ];
}

/** Resolves at Ctrl-C or a polite signal: the way this command ends. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.removeAllListeners(signal).on(signal, () => resolve());
  });
}
