import { expect, test } from 'vitest';
import {
  type AlarmState,
  evaluate,
  evaluationRange,
  type TreatMissingData,
} from '../../../../local/services/cloudwatch/evaluation.ts';

const read = (points: string) => points.split(' ').map((point) => ({ '0': false, X: true })[point]);
const TREATMENTS: readonly TreatMissingData[] = ['missing', 'ignore', 'breaching', 'notBreaching'];
const KEPT = undefined;

/** The tables of AWS's page "Configuring how CloudWatch alarms treat missing data": 5 points for 3 evaluation periods. */
const THREE_OF_THREE: [string, ...(AlarmState | undefined)[]][] = [
  ['0 - X - X', 'OK', 'OK', 'OK', 'OK'],
  ['0 - - - -', 'OK', 'OK', 'OK', 'OK'],
  ['- - - - -', 'INSUFFICIENT_DATA', KEPT, 'ALARM', 'OK'],
  ['0 X X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  ['- - X - -', 'ALARM', KEPT, 'ALARM', 'OK'],
];
const TWO_OF_THREE: typeof THREE_OF_THREE = [
  ['0 - X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  ['0 0 X 0 X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  ['0 - X - -', 'OK', 'OK', 'ALARM', 'OK'],
  ['- - - - 0', 'OK', 'OK', 'ALARM', 'OK'],
  ['- - - X -', 'ALARM', KEPT, 'ALARM', 'OK'],
];
/** The same page: not prematurely into ALARM, while the newest of three is the only data point, or the two newest. */
const PREMATURE: typeof THREE_OF_THREE = [
  ['- - - - X', KEPT, KEPT, 'ALARM', 'OK'],
  ['- - - X -', KEPT, KEPT, 'ALARM', 'OK'],
];

const table = (datapointsToAlarm: number, rows: typeof THREE_OF_THREE) =>
  rows.flatMap(([points, ...verdicts]) =>
    TREATMENTS.map((treatMissingData, index) => ({
      datapointsToAlarm,
      points,
      treatMissingData,
      verdict: verdicts[index],
    })),
  );

test.for([...table(3, THREE_OF_THREE), ...table(2, TWO_OF_THREE), ...table(3, PREMATURE)])(
  '$datapointsToAlarm out of 3 over $points, missing treated as $treatMissingData: $verdict',
  ({ points, datapointsToAlarm, treatMissingData, verdict }) => {
    expect(evaluate(read(points), { evaluationPeriods: 3, datapointsToAlarm, treatMissingData })).toBe(verdict);
  },
);

test('looks at 5 periods for 3, as the tables do', () => {
  expect(evaluationRange(3)).toBe(5);
});
