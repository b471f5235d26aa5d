import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Permissions } from '../permissions.ts';
import { type FunctionHome, makersOf } from '../recovery-function.ts';

/** The validation that every recovery shares: database, application, performance. */
export function validationFunctions(scope: Construct, home: FunctionHome, may: Permissions) {
  const { database, application, canary } = home.configuration;
  const sentinel = () => may.readSecrets(database.sentinelRole.secretName);
  const { outside, inside } = makersOf(scope, home, 'validation');
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
    JudgeValidation: outside('judge-validation', 'Judges a tier of the validation; unknown never passes', [
      may.timeline(),
    ]),
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
