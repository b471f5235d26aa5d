/**
 * Every call that a role makes in a recovery, simulated by IAM against the policies as they are now. Which calls those are,
 * recovery-calls.json of the bundle says: what the deployment granted, and so what the steps need.
 */
import { IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { secondsBetween } from '../../../core/incident/moments.ts';
import { ask } from '../../../core/readiness/answer.ts';
import type { RecoveryCall, RecoveryCalls } from '../../../core/readiness/calls.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf } from '../../../core/readiness/facts.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from '../aws/clients.ts';
import { keyOfAlias } from '../aws/keys.ts';
import { permissionRecord } from '../aws/readiness.ts';
import { readRelease } from '../release.ts';
import { readRecoveryCalls } from './recovery-calls.ts';

type Seen = Extract<FactsOf<'permissions'>, { found: unknown }>['found'];

const daySeconds = 86_400;

/** Simulated at once: IAM's control plane is one for all Regions, and throttles early. */
const parallel = 4;

/** Daily, after a deployment, and where it is asked for; in between, what the last simulation found. */
export function lookAtPermissions(
  { permissions: wanted }: ReadinessRun,
  rt: Pick<Runtime, 'clock' | 'here'>,
): Promise<FactsOf<'permissions'>> {
  return ask('IAM', async () => {
    const kept = permissionRecord(rt);
    const release = readRelease();
    const now = rt.clock.now().toISOString();
    const last = await kept.read();
    const isDue = last === undefined || last.release !== release || secondsBetween(last.at, now) >= daySeconds;
    // One that found a denial is no answer to keep for a day: people are mending it.
    if (!isDue && wanted === 'when-due' && last.denied.length === 0) return last;
    const found = { at: now, release, ...(await simulate(readRecoveryCalls())) };
    await kept.write(found);
    return found;
  });
}

async function simulate(calls: RecoveryCalls): Promise<Pick<Seen, 'simulated' | 'denied'>> {
  const pending = [...calls];
  const denied: Seen['denied'] = [];
  let simulated = 0;
  const keys = new Map<string, string>();
  const work = async () => {
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
      const { functionName, region } = next;
      const role = await roleOf(functionName, region);
      for (const call of next.calls) {
        const resources = await Promise.all(call.resources.map((each) => resolveKey(each, keys)));
        const results = await simulateCall(role, { ...call, resources });
        simulated += results.length;
        denied.push(
          ...results
            .filter(({ isAllowed }) => !isAllowed)
            .map(({ action, resource }) => ({ role: `${functionName} in ${region}`, action, resource })),
        );
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return { simulated, denied };
}

async function roleOf(FunctionName: string, region: string): Promise<string> {
  const { Role } = await clientFor(LambdaClient, region).send(new GetFunctionConfigurationCommand({ FunctionName }));
  if (Role === undefined) throw new Error(`${FunctionName} in ${region} has no role`);
  return Role;
}

/** Policies name keys by ARN, the bundle by alias: `arn:aws:kms:<region>:<account>:alias/…`. */
async function resolveKey(resource: string, known: Map<string, string>): Promise<string> {
  const [, region = '', alias] = /^arn:aws:kms:([^:]+):\d+:(alias\/.+)$/.exec(resource) ?? [];
  if (alias === undefined) return resource;
  const found = known.get(resource) ?? (await keyOfAlias(alias, region));
  known.set(resource, found);
  return found;
}

async function simulateCall(role: string, { actions, resources, context }: RecoveryCall) {
  const { EvaluationResults = [] } = await clientFor(IAMClient, 'us-east-1').send(
    new SimulatePrincipalPolicyCommand({
      PolicySourceArn: role,
      ActionNames: actions,
      ResourceArns: resources,
      ContextEntries: context.map(({ key, type, values }) => ({
        ContextKeyName: key,
        ContextKeyType: type,
        ContextKeyValues: values,
      })),
    }),
  );
  return EvaluationResults.flatMap(
    ({ EvalActionName: action = '', EvalDecision, EvalResourceName, ResourceSpecificResults }) =>
      ResourceSpecificResults?.length
        ? ResourceSpecificResults.map((each) => ({
            action,
            resource: each.EvalResourceName ?? '*',
            isAllowed: each.EvalResourceDecision === 'allowed',
          }))
        : [{ action, resource: EvalResourceName ?? '*', isAllowed: EvalDecision === 'allowed' }],
  );
}
