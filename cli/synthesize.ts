/** `cdk synth` of one environment: the command line makes the assembly, so that feature flags count as in a deployment. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

/** Synthesizes into `output` and returns it. Throws with the CDK's own words; needs no AWS account and looks nothing up. */
export async function synthesize(environment: string, output: string): Promise<string> {
  const cdk = join(dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'bin', 'cdk');
  // The CDK starts its app through the shell: `node` must be this one, not whatever the machine has.
  const path = `${dirname(process.execPath)}:${process.env.PATH ?? ''}`;
  try {
    await run(process.execPath, [cdk, 'synth', '--quiet', '--context', `env=${environment}`, '--output', output], {
      cwd: root,
      env: { ...process.env, PATH: path, CDK_DISABLE_CLI_TELEMETRY: 'true', AWS_EC2_METADATA_DISABLED: 'true' },
      maxBuffer: 64 << 20,
    });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`cdk synth of ${environment} failed:\n${stderr}${stdout}`.trim(), { cause: error });
  }
  return output;
}
