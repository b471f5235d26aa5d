/** `dr cloud`: serves the embedded cloud, with the product deployed and STOCKER Pro running, until stopped. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namesOf } from '../../config/names.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { install } from '../installation.ts';
import type { CloudOptions } from '../options.ts';
import { Screen } from '../screen.ts';
import { synthesize } from '../synthesize.ts';

export async function cloud(options: CloudOptions): Promise<ExitCode> {
  const screen = new Screen();
  const scratch = mkdtempSync(join(tmpdir(), 'stocker-dr-assembly-'));
  screen.heading(`The embedded cloud, ${options.environment}`);
  try {
    const installation = await install({
      ...options,
      assembly: synthesize(options.environment, join(scratch, 'cdk.out')),
      onStage: (name, seconds, result) => screen.item('good', name, seconds, result),
    });
    const { cloud: running, configuration, apiUrl } = installation;
    const region = configuration.primary.region;
    const machine = namesOf(configuration).stateMachineArn(region, 'database-recovery');
    for (const line of [
      '',
      'Point any AWS client at it:',
      `  export AWS_ENDPOINT_URL=${running.endpoint} AWS_ACCESS_KEY_ID=operator AWS_SECRET_ACCESS_KEY=operator AWS_REGION=${region}`,
      '',
      'For example:',
      '  aws rds describe-db-instances',
      `  aws stepfunctions start-execution --state-machine-arn ${machine} --input '{"reason":"a first look"}'`,
      `  aws dynamodb scan --table-name ${namesOf(configuration).incidentTable}`,
      `  curl -H 'x-tenant: 2' ${apiUrl}/products`,
      '',
      'Ctrl-C ends it and leaves nothing behind.',
    ])
      screen.line(line);
    await stopped();
    await installation.stop();
    return exitCodes.passed;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Resolves at Ctrl-C or a polite signal. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
