/** Lambda in one Region: functions from the assembly's assets, run in workers under their roles. */

import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { Capacity } from '../../functions/capacity.ts';
import type { FunctionDefinition } from '../../functions/definition.ts';
import { AwsError, type Home, type IssuedCredentials, type Service, type ServiceDefinition } from '../../kernel.ts';
import { functionResource } from './function-resource.ts';
import { Invoker } from './invoker.ts';
import { parseFunctionName } from './names.ts';
import { lambdaOperations } from './operations.ts';
import { Registry } from './registry.ts';
import { lambdaResources } from './resources.ts';
import { urlRoute } from './urls.ts';

/**
 * Workers that one Region keeps at once: 100, or as many as a quarter of the machine's memory holds. A recovery invokes
 * some sixty functions in turn; where fewer are kept, each of them starts cold every time.
 */
const maximumWorkers = Math.max(20, Math.min(100, Math.floor(totalmem() / 4 / (32 * 1024 ** 2))));

export interface LambdaService extends Service {
  /** Kills the execution environment that holds these credentials; false when none of this Region does. */
  crash(accessKeyId: string): boolean;
  route(path: string): RequestListener | undefined;
}

export const lambda: ServiceDefinition = {
  name: 'lambda',
  sdk: '@aws-sdk/client-lambda',
  create: createLambda,
};

function createLambda(home: Home): LambdaService {
  const registry = new Registry(home);
  const stopping = new AbortController();
  const invoker = new Invoker(home, stopping.signal);
  const options = {
    home,
    capacity: new Capacity(maximumWorkers),
    runtimeDirectory: makeRuntimeDirectory(home),
    assumeRole: (definition: FunctionDefinition) => assumeRole(home, definition),
    stopping: stopping.signal,
  };
  const endEnvironments = async () => {
    await Promise.all(registry.all().map((each) => each.stop()));
  };
  return {
    operations: lambdaOperations(home, registry, invoker),
    resources: { ...functionResource(home, registry, options), ...lambdaResources(home, registry) },
    resourcePolicy: (arn) => registry.policy(parseFunctionName(home, arn)),
    route: (path) => urlRoute(home, registry, path),
    crash: (accessKeyId) => registry.all().some((each) => each.crash(accessKeyId)),
    goDark: endEnvironments,
    async stop() {
      stopping.abort(new AwsError('ServiceException', 'the cloud stopped'));
      await endEnvironments();
    },
  };
}

/** What `/var/runtime` is on AWS: there, `ca-cert.pem` holds the certificate authorities of RDS; here, the cloud's own. */
function makeRuntimeDirectory({ dataDirectory, certificateAuthority }: Home): string {
  const directory = join(dataDirectory, 'runtime');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'ca-cert.pem'), certificateAuthority);
  return directory;
}

/** A new session of the function's role, its trust policy permitting. */
async function assumeRole(home: Home, { arn, name, roleArn }: FunctionDefinition): Promise<IssuedCredentials> {
  const { Credentials: issued } = await home.call<{
    Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string };
  }>(
    'sts',
    'AssumeRole',
    { RoleArn: roleArn, RoleSessionName: name },
    { kind: 'service', service: 'lambda.amazonaws.com', sourceArn: arn, sourceAccount: home.account },
  );
  return {
    accessKeyId: issued.AccessKeyId,
    secretAccessKey: issued.SecretAccessKey,
    sessionToken: issued.SessionToken,
  };
}
