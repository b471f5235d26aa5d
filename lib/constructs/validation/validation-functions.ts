import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Permissions } from '../permissions.ts';
import { type FunctionHome, RecoveryFunction, type RecoveryFunctionProps } from '../recovery-function.ts';

/** The validation that every recovery shares: database, application, performance. */
export function validationFunctions(scope: Construct, home: FunctionHome, may: Permissions) {
  const { database, application, canary } = home.configuration;
  const sentinel = () => may.readSecrets(database.sentinelRole.secretName);
  const inside = (
    path: string,
    description: string,
    statements: RecoveryFunctionProps['statements'],
    timeout: Duration,
  ) =>
    new RecoveryFunction(scope, home, {
      path: `validation/${path}`,
      description,
      statements,
      timeout,
      reachesDatabase: true,
    }).lambda;
  return {
    PlanValidation: inside(
      'plan-validation',
      'Cuts the validation into bounded pieces',
      [may.timeline(), sentinel()],
      Duration.minutes(2),
    ),
    RunCheck: inside(
      'run-check',
      'Runs one bounded check',
      [may.timeline(), may.readSecrets(database.masterSecretName, database.sentinelRole.secretName)],
      Duration.minutes(11),
    ),
    JudgeValidation: new RecoveryFunction(scope, home, {
      path: 'validation/judge-validation',
      description: 'Judges a tier of the validation; unknown never passes',
      statements: [may.timeline()],
    }).lambda,
    ValidateApplication: inside(
      'validate-application',
      'Runs the application’s critical flow',
      [may.timeline(), may.readParameters(application.urlParameter, canary.urlParameter), sentinel()],
      Duration.minutes(3),
    ),
    ValidatePerformance: inside(
      'validate-performance',
      'Measures latency against limit and baseline',
      [may.timeline(), may.readParameters(application.urlParameter, canary.urlParameter)],
      Duration.minutes(5),
    ),
  };
}
