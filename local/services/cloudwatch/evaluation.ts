/**
 * What state a metric alarm is in: AWS's rules for M out of N and for missing data ("Configuring how CloudWatch alarms
 * treat missing data"), as a pure function.
 */
export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
export type TreatMissingData = 'missing' | 'ignore' | 'breaching' | 'notBreaching';

export interface EvaluationRules {
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly treatMissingData: TreatMissingData;
}

/**
 * How many periods an alarm looks back over: more than it evaluates, so that late or missing data points do not
 * decide. AWS does not publish the number for every period; its examples look at 5 for 3.
 */
export const evaluationRange = (evaluationPeriods: number) => evaluationPeriods + 2;

/**
 * `breaches` are the periods of the evaluation range, oldest first: true breaching, false not, undefined missing.
 * Answers undefined where the alarm keeps the state it has.
 */
export function evaluate(
  breaches: readonly (boolean | undefined)[],
  { evaluationPeriods, datapointsToAlarm, treatMissingData }: EvaluationRules,
): AlarmState | undefined {
  const real = breaches.filter((breach) => breach !== undefined);
  // Real data points always count, the newest first; missing ones are filled as few times as possible.
  const evaluated = real.slice(-evaluationPeriods);
  const breaching = evaluated.filter(Boolean).length;
  const missing = evaluationPeriods - evaluated.length;
  if (breaching >= datapointsToAlarm) return 'ALARM';
  if (missing === 0 || treatMissingData === 'notBreaching') return 'OK';
  if (treatMissingData === 'breaching') return breaching + missing >= datapointsToAlarm ? 'ALARM' : 'OK';
  if (evaluated.includes(false)) return 'OK';
  if (treatMissingData === 'ignore') return undefined;
  if (evaluated.length === 0) return 'INSUFFICIENT_DATA';
  // Only breaching data points and gaps: premature unless the oldest is as old as Datapoints to Alarm.
  const age = breaches.length - breaches.indexOf(true);
  return age >= datapointsToAlarm ? 'ALARM' : undefined;
}

const COMPARISONS: Readonly<
  Record<string, readonly [breaches: (value: number, threshold: number) => boolean, words: string]>
> = {
  GreaterThanThreshold: [(value, threshold) => value > threshold, 'greater than'],
  GreaterThanOrEqualToThreshold: [(value, threshold) => value >= threshold, 'greater than or equal to'],
  LessThanThreshold: [(value, threshold) => value < threshold, 'less than'],
  LessThanOrEqualToThreshold: [(value, threshold) => value <= threshold, 'less than or equal to'],
};

/** The comparison by its API name; undefined for one that is not here (anomaly detection bands). */
export const comparison = (operator: string) => COMPARISONS[operator];
