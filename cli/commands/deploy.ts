/**
 * `dr deploy`: `cdk deploy` of both Regions, the DR Region first; refused while a deployment would be dangerous. What holds
 * traffic on the DR Region is in its stack: a new health check starts healthy, and leads clients back to a lost Region.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Lease } from '../../core/incident/contracts.ts';
import type { Latch } from '../../core/region/contracts.ts';
import { LatchName } from '../../core/region/contracts.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { dr as hint, hintsAreFor } from '../hints.ts';
import { type Operator, operatorIn } from '../operator.ts';
import type { OperatorOptions } from '../operator-options.ts';
import { readLatch, readLease } from '../records.ts';

/** Exit 1: refused, and nothing was deployed. Otherwise what the CDK ends with. */
export async function deploy({ environment }: OperatorOptions): Promise<ExitCode> {
  hintsAreFor(environment, undefined);
  const objections = await objectionsIn(operatorIn(environment));
  if (objections.length > 0) {
    process.stderr.write(`Nothing is deployed.\n${objections.map((each) => `- ${each}\n`).join('')}`);
    return exitCodes.failed;
  }
  return (await runCdk(environment)) === 0 ? exitCodes.passed : exitCodes.broken;
}

/** By the records of the DR Region. Rejects where it does not answer: what it holds is unknown then. */
export async function objectionsIn({
  configuration,
  dr,
  names,
}: Pick<Operator, 'configuration' | 'dr' | 'names'>): Promise<string[]> {
  try {
    const [lease, ...latches] = await Promise.all([
      readLease(dr.dynamodb, names.controlTable),
      ...LatchName.options.map((name) => readLatch(dr.dynamodb, names.controlTable, name)),
    ]);
    return objectionsTo({ lease, latches: latches.filter((each) => each !== undefined) }, configuration.dr.region);
  } catch (error) {
    // Before the first deployment there is nothing that it could undo.
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return [];
    throw error;
  }
}

interface State {
  readonly lease: Lease | undefined;
  readonly latches: readonly Latch[];
}

/** Why nothing may be deployed now. Pure. */
export function objectionsTo({ lease, latches }: State, region: string): string[] {
  const held = latches.filter(({ on }) => on);
  return [
    ...held.map(({ name, since, incidentId }) =>
      name === 'traffic'
        ? `The latch has held traffic on ${region} since ${since}, by ${incidentId}. Bring production home first: ${hint('failback')}`
        : `A drill has held its record on ${region} since ${since}: ${incidentId}. It ends by itself; see ${hint('status')}`,
    ),
    ...(lease === undefined
      ? []
      : [
          `${lease.incidentId} has been at work since ${lease.takenAt}: it would meet new functions on its way. See ${hint('status')}`,
        ]),
  ];
}

/** With the terminal of the person: the CDK shows what changes, and asks. */
function runCdk(environment: string): Promise<number | null> {
  const cdk = join(dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'bin', 'cdk');
  const { names, configuration } = operatorIn(environment);
  const stacks = [configuration.dr, configuration.primary].map(({ region }) => names.stack(region));
  const child = spawn(process.execPath, [cdk, 'deploy', '--context', `env=${environment}`, ...stacks], {
    cwd: join(import.meta.dirname, '../..'),
    // The CDK starts its app through the shell: `node` must be this one.
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}` },
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
}
