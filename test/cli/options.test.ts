import { expect, test } from 'vitest';
import { exitCodes, UsageError } from '../../cli/exit-codes.ts';
import { main } from '../../cli/main.ts';
import { parseCloudOptions, parseDrillOptions } from '../../cli/options.ts';

const defaults = { environment: 'production', rows: 50_000 };

test('without options: production, 50,000 rows, a clock as on AWS for the cloud', () => {
  expect(parseDrillOptions([])).toEqual({
    ...defaults,
    json: false,
    output: undefined,
    mode: 'drill',
    scenario: 'database',
    disaster: undefined,
    yes: false,
  });
  expect(parseCloudOptions([])).toEqual({ ...defaults, port: undefined, clockFactor: 1 });
});

test('takes every option', () => {
  const shared = ['--environment', 'staging', '--rows', '100'];
  const values = { environment: 'staging', rows: 100 };
  expect(parseDrillOptions([...shared, '--json', '--output', 'there'])).toEqual({
    ...values,
    json: true,
    output: 'there',
    mode: 'drill',
    scenario: 'database',
    disaster: undefined,
    yes: false,
  });
  expect(parseDrillOptions(['--scenario', 'cluster'])).toMatchObject({ scenario: 'cluster' });
  const destroyed = [...shared, '--mode', 'recovery', '--disaster', 'drop-table', '--yes'];
  expect(parseDrillOptions(destroyed)).toMatchObject({ ...values, disaster: 'drop-table', yes: true });
  const bad = ['--mode', 'recovery', '--disaster', 'bad-deploy'];
  expect(parseDrillOptions(bad)).toMatchObject({ mode: 'recovery', scenario: 'cluster', disaster: 'bad-deploy' });
  expect(parseCloudOptions([...shared, '--port', '4566', '--clock-factor', '60'])).toEqual({
    ...values,
    port: 4566,
    clockFactor: 60,
  });
});

test.each([
  { argv: ['--scenario', 'configuration'], mode: 'drill', scenario: 'configuration', disaster: undefined },
  ...['record-deleted', 'secret-deleted', 'workload-deleted'].map((disaster) => ({
    argv: ['--mode', 'recovery', '--disaster', disaster],
    mode: 'recovery',
    scenario: 'configuration',
    disaster,
  })),
  { argv: ['--scenario', 'region'], mode: 'drill', scenario: 'region', disaster: undefined },
  { argv: ['--mode', 'recovery', '--style', 'graceful'], mode: 'recovery', scenario: 'region', disaster: undefined },
  {
    argv: ['--mode', 'recovery', '--disaster', 'region-lost'],
    mode: 'recovery',
    scenario: 'region',
    disaster: 'region-lost',
  },
])('$argv is a rehearsal of the $scenario', ({ argv, ...rehearsed }) => {
  expect(parseDrillOptions(argv)).toMatchObject(rehearsed);
});

test.each([
  { case: 'an unknown option', argv: ['--row', '5'], says: /'--row'.*Known options: .*--rows/ },
  { case: 'a word', argv: ['now'], says: /'now'/ },
  { case: 'an option without its value', argv: ['--rows'], says: /'--rows <value>'/ },
  {
    case: 'an unknown environment',
    argv: ['--environment', 'test'],
    says: /--environment test .*production, staging/,
  },
  { case: 'a name that every object has', argv: ['--environment', 'toString'], says: /--environment toString/ },
  { case: 'no number of rows', argv: ['--rows', 'many'], says: /--rows many .*100 to 50000000/ },
  { case: 'empty rows', argv: ['--rows', ''], says: /--rows .*whole number/ },
  { case: 'half a row', argv: ['--rows', '1000.5'], says: /--rows 1000.5/ },
  { case: 'too few rows', argv: ['--rows', '99'], says: /--rows 99/ },
  { case: 'too many rows', argv: ['--rows', '50000001'], says: /--rows 50000001/ },
  { case: 'an empty directory', argv: ['--output', ''], says: /--output/ },
  { case: 'a mode that is none', argv: ['--mode', 'rehearsal'], says: /--mode rehearsal/ },
  { case: 'a scenario without a drill', argv: ['--scenario', 'flood'], says: /--scenario flood is not known/ },
  {
    case: 'a scenario that the disaster is not of',
    argv: ['--scenario', 'database', '--mode', 'recovery', '--disaster', 'nodes-lost'],
    says: /--scenario database is not recovered from nodes-lost/,
  },
  { case: 'no disaster to recover from', argv: ['--mode', 'recovery'], says: /--disaster is missing.*drop-table/ },
  { case: 'an unknown disaster', argv: ['--mode', 'recovery', '--disaster', 'flood'], says: /--disaster flood/ },
  { case: 'a style that is none', argv: ['--mode', 'recovery', '--style', 'brave'], says: /--style brave/ },
  { case: 'a style of a drill', argv: ['--style', 'graceful'], says: /a drill leaves production alone/ },
  {
    case: 'a switchover because of a disaster',
    argv: ['--mode', 'recovery', '--style', 'graceful', '--disaster', 'region-lost'],
    says: /moves a sound production/,
  },
  {
    case: 'a failover because of a dropped table',
    argv: ['--mode', 'recovery', '--scenario', 'region', '--disaster', 'drop-table'],
    says: /not recovered from drop-table/,
  },
  { case: 'a disaster without the mode', argv: ['--disaster', 'drop-table'], says: /Give --mode recovery/ },
])('refuses $case of a drill', ({ argv, says }) => {
  expect(() => parseDrillOptions(argv)).toThrow(UsageError);
  expect(() => parseDrillOptions(argv)).toThrow(says);
});

test.each([
  { case: 'a port that is none', argv: ['--port', '0'], says: /--port 0 .*1 to 65535/ },
  { case: 'a port beyond the last', argv: ['--port', '65536'], says: /--port 65536/ },
  { case: 'a clock that stands', argv: ['--clock-factor', '0'], says: /--clock-factor 0/ },
  { case: 'an option of the drill', argv: ['--json'], says: /'--json'/ },
])('refuses $case of the cloud', ({ argv, says }) => {
  expect(() => parseCloudOptions(argv)).toThrow(UsageError);
  expect(() => parseCloudOptions(argv)).toThrow(says);
});

test.each([
  { case: 'an unknown command', argv: ['restore'], code: exitCodes.usage },
  { case: 'a command that every object has', argv: ['constructor'], code: exitCodes.usage },
  { case: 'a bad option', argv: ['drill', '--rows', '1'], code: exitCodes.usage },
  { case: 'nothing', argv: [], code: exitCodes.usage },
  { case: 'a question', argv: ['drill', '--help'], code: exitCodes.passed },
])('$case starts nothing and ends with $code', async ({ argv, code }) => {
  expect(await main(argv)).toBe(code);
});
