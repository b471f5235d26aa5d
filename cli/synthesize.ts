/** `cdk synth` of one environment: the command line makes the assembly, so that feature flags count as in a deployment. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { spawnChild } from '../local/process/children.ts';

const root = join(import.meta.dirname, '..');

/**
 * Synthesizes into `output` and returns it. Throws with the CDK's own words; needs no AWS account and looks nothing up.
 * Its processes and temporary files are recorded beside `output`: whoever removes that directory leaves nothing. Without
 * `validate` CloudFormation's own rules are left out, which cost a third of the time and change no template: what is
 * deployed and what CI tests is held against them.
 */
export async function synthesize(environment: string, output: string, { validate = true } = {}): Promise<string> {
  const home = dirname(output);
  const cdk = join(dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'bin', 'cdk');
  // The CDK starts its app through the shell: `node` must be this one, not whatever the machine has.
  const path = `${dirname(process.execPath)}:${process.env.PATH ?? ''}`;
  const options = ['synth', '--quiet', '--context', `env=${environment}`, '--output', output];
  const child = spawnChild(home, process.execPath, [cdk, ...options], {
    cwd: root,
    env: {
      ...process.env,
      PATH: path,
      TMPDIR: home,
      // Compiled code is kept from run to run, or every synth would compile the CDK anew.
      NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compiled'),
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      ...(!validate && { CDK_VALIDATION: 'false' }),
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const said = await Promise.all([child.stderr, child.stdout].map((stream) => (stream ? text(stream) : '')));
  if ((await ended) !== 0) throw new Error(`cdk synth of ${environment} failed:\n${said.join('')}`.trim());
  return output;
}
