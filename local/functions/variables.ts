/** The environment of a function: the template's variables and those that Lambda itself sets, nothing of this machine's. */
import type { Home, IssuedCredentials } from '../kernel.ts';
import type { FunctionDefinition } from './definition.ts';

/** Where Lambda's managed runtimes keep what comes with them, the RDS certificate authorities among it. */
const awsRuntimeDirectory = '/var/runtime/';

export function variablesOf(
  definition: FunctionDefinition,
  home: Home,
  credentials: IssuedCredentials,
  logStream: string,
  runtimeDirectory: string,
): Record<string, string> {
  const template = Object.entries(definition.environment).map(([name, value]) => [
    name,
    value.startsWith(awsRuntimeDirectory) ? value.replace(awsRuntimeDirectory, `${runtimeDirectory}/`) : value,
  ]);
  return {
    ...Object.fromEntries(template),
    _HANDLER: definition.handler,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_DEFAULT_REGION: home.region,
    AWS_ENDPOINT_URL: home.endpoint,
    AWS_EXECUTION_ENV: `AWS_Lambda_${definition.runtime}`,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMb),
    AWS_LAMBDA_FUNCTION_NAME: definition.name,
    AWS_LAMBDA_FUNCTION_VERSION: definition.version,
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_FORMAT: definition.logFormat,
    AWS_LAMBDA_LOG_GROUP_NAME: definition.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    ...(definition.applicationLogLevel && { AWS_LAMBDA_LOG_LEVEL: definition.applicationLogLevel }),
    AWS_REGION: home.region,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    LAMBDA_RUNTIME_DIR: runtimeDirectory,
    LAMBDA_TASK_ROOT: definition.taskRoot,
    LANG: 'en_US.UTF-8',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    TZ: ':UTC',
  };
}
