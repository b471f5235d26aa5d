/**
 * Which calls the functions of a recovery make, for IAM's simulator: what the stacks grant, made concrete. The stacks are
 * made once more for it, without code, because the bundle that carries the answer goes into the stacks themselves.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { namesOf } from '../config/names.ts';
import type { Configuration } from '../config/schema.ts';
import type { RecoveryCall, RecoveryCalls } from '../core/readiness/calls.ts';
import { RecoveryFunction } from './constructs/recovery-function.ts';
import { addStacks } from './stacks/region-stack.ts';

/** Areas whose functions no recovery calls. */
const besides = ['backup/', 'readiness/'];

export function recoveryCallsOf(configuration: Configuration): RecoveryCalls {
  const directory = mkdtempSync(join(tmpdir(), 'stocker-dr-no-code-'));
  const bundleDirectory = join(directory, 'functions');
  mkdirSync(bundleDirectory);
  try {
    // The CDK command line would synthesize every App there is, each over the other.
    const app = new App({ autoSynth: false, outdir: join(directory, 'cdk.out'), analyticsReporting: false });
    return addStacks(app, configuration, bundleDirectory).flatMap((stack) =>
      stack.node
        .findAll()
        .filter((each) => each instanceof RecoveryFunction)
        .filter(({ path }) => !besides.some((area) => path.startsWith(area)))
        .map(({ path, statements }) => ({
          functionName: namesOf(configuration).lambda(path),
          region: stack.region,
          calls: statements.flatMap(({ statement }) => callOf(statement, stack, configuration)),
        })),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A Deny is no call. */
function callOf(statement: iam.PolicyStatement, stack: Stack, configuration: Configuration): RecoveryCall[] {
  if (statement.effect === iam.Effect.DENY) return [];
  return [
    {
      actions: [...statement.actions],
      resources: statement.resources.map((each) => concrete(each, stack, configuration)),
      context: contextOf(statement.conditions),
    },
  ];
}

/** What a recovery makes has names of its own; any will do for a simulator. */
const filled = (pattern: string) => pattern.replaceAll('*', 'readiness').replaceAll('?', 'A');

/** The one resource that has no name before it is deployed is the key of the topics: it is known by its alias. */
function concrete(resource: string, stack: Stack, configuration: Configuration): string {
  if (!Token.isUnresolved(resource)) return resource === '*' ? resource : filled(resource);
  const [logicalId, attribute] = stack.resolve(resource)?.['Fn::GetAtt'] ?? [];
  if (attribute !== 'Arn' || !/^IncidentsKey/.test(logicalId))
    throw new Error(`readiness cannot simulate calls on ${JSON.stringify(stack.resolve(resource))}: it has no name`);
  return stack.formatArn({ service: 'kms', resource: 'alias', resourceName: namesOf(configuration).prefix });
}

/** Values that meet the conditions. An operator that is not known here fails the synth: a simulation without it would lie. */
function contextOf(conditions: Readonly<Record<string, Readonly<Record<string, unknown>>>>): RecoveryCall['context'] {
  return Object.entries(conditions).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, value]) => ({
      key,
      type: typeOf(operator),
      values: [filled(String(Array.isArray(value) ? value[0] : value))],
    })),
  );
}

function typeOf(operator: string): RecoveryCall['context'][number]['type'] {
  if (operator === 'StringEquals' || operator === 'StringLike') return 'string';
  if (operator === 'ForAllValues:StringLike' || operator === 'ForAllValues:StringEquals') return 'stringList';
  if (operator === 'Bool') return 'boolean';
  throw new Error(`readiness cannot simulate the condition operator ${operator}: say here what meets it`);
}
