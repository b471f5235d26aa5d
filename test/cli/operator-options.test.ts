import { describe, expect, test } from 'vitest';
import { exitCodes, UsageError } from '../../cli/exit-codes.ts';
import { main } from '../../cli/main.ts';
import {
  parseApproveOptions,
  parseCancelOptions,
  parseDebtOptions,
  parseDeclineOptions,
  parseFailbackOptions,
  parseFailoverOptions,
  parseRetryOptions,
  parseStartOptions,
  parseStatusOptions,
  parseWatchOptions,
} from '../../cli/operator-options.ts';
import { parseDrillOptions } from '../../cli/options.ts';

const incident = 'recovery-20261122T201500Z-1a2b3c4d';
const place = { environment: 'production', region: undefined };

describe('Commands on a deployed installation', () => {
  test('take what they need', () => {
    expect(parseStatusOptions(['--environment', 'staging'])).toEqual({ environment: 'staging', region: undefined });
    expect(parseWatchOptions([])).toEqual({ ...place, incident: undefined });
    expect(parseWatchOptions([incident, '--region', 'us-west-2'])).toEqual({ ...place, region: 'us-west-2', incident });
    expect(parseDeclineOptions([incident, '--reason', ' no '])).toMatchObject({ incident, reason: 'no' });
    expect(parseCancelOptions([incident, '--reason', 'no', '--yes'])).toMatchObject({ incident, yes: true });
    expect(parseRetryOptions([incident])).toMatchObject({ incident, reason: 'retry', restoreTo: undefined });
    const waiving = ['--waive', 'row-floors,foreign-key', '--reason', 'known'];
    expect(parseRetryOptions([incident, ...waiving])).toMatchObject({ waive: ['row-floors', 'foreign-key'] });
    expect(parseDebtOptions([])).toEqual({ ...place, close: false });
    expect(parseDebtOptions(['close', '--environment', 'staging'])).toMatchObject({
      environment: 'staging',
      close: true,
    });
    expect(() => parseDebtOptions(['pay'])).toThrow(/Give close/);
    const zone = ['--scenario', 'configuration', '--reason', 'x', '--restore-to', '2026-11-22T13:05:00Z'];
    expect(parseStartOptions(zone)).toMatchObject({ scenario: 'configuration', restoreTo: '2026-11-22T13:05:00Z' });
    expect(parseStartOptions(['--reason', 'test'])).toMatchObject({ mode: 'drill', reason: 'test' });
    expect(
      parseStartOptions(['--mode', 'recovery', '--confirm', 'production', '--reason', 'lost', '--request-id', 'a-1']),
    ).toMatchObject({ mode: 'recovery', confirm: 'production', requestId: 'a-1' });
  });

  test('production moves and comes home under the name of its environment', () => {
    const confirmed = ['--confirm', 'production', '--reason', 'lost'];
    expect(parseFailoverOptions([...confirmed, '--waive', 'primary-lost,readiness'])).toMatchObject({
      mode: 'recovery',
      style: 'ungraceful',
      waive: ['primary-lost', 'readiness'],
    });
    expect(parseFailoverOptions(['--mode', 'drill', '--reason', 'test'])).toMatchObject({ mode: 'drill' });
    expect(parseFailbackOptions(confirmed)).toMatchObject({ mode: 'recovery', style: 'graceful', waive: [] });
  });

  test('tables are named as SQL names them', () => {
    const recovery = ['--mode', 'recovery', '--confirm', 'production', '--reason', 'x', '--tables'];
    const { tables } = parseStartOptions([...recovery, 'stocker.product, stocker."price, net"']);
    expect(tables).toEqual(['stocker.product', 'stocker."price, net"']);
  });

  test.each([
    { case: 'latest', given: 'latest', restoreTo: 'latest' },
    { case: 'a time', given: '2026-11-22T13:05:00.123456Z', restoreTo: '2026-11-22T13:05:00.123456Z' },
    { case: 'a snapshot', given: 'snapshot:rds:daily', restoreTo: { snapshot: 'rds:daily' } },
    {
      case: 'a dump',
      given: 'dump:stocker-db-20261122-020000.sql.gz',
      restoreTo: { dump: 'stocker-db-20261122-020000.sql.gz' },
    },
  ])('restore to $case', ({ given, restoreTo }) => {
    const options = parseApproveOptions([incident, '--reason', 'yes', '--restore-to', given]);
    expect(options.restoreTo).toEqual(restoreTo);
  });

  test.each([
    { case: 'an unknown environment', argv: ['status', '--environment', 'test'], says: /--environment test/ },
    {
      case: 'a Region of nobody',
      argv: ['status', '--region', 'eu-west-1'],
      says: /eu-west-1.*us-east-1 or us-west-2/,
    },
    { case: 'no incident', argv: ['approve', '--reason', 'x'], says: /incident is missing/ },
    { case: 'a word that is no incident', argv: ['decline', 'it', '--reason', 'x'], says: /^it is no incident id/ },
    { case: 'two incidents', argv: ['watch', incident, incident], says: /Unexpected argument/ },
    { case: 'no reason', argv: ['approve', incident], says: /--reason is missing/ },
    { case: 'a blank reason', argv: ['cancel', incident, '--reason', '  '], says: /--reason is missing/ },
    { case: 'an essay', argv: ['decline', incident, '--reason', 'x'.repeat(501)], says: /501.*at most 500/ },
    { case: 'a local time', argv: ['retry', incident, '--restore-to', '2026-11-22 13:05'], says: /UTC time/ },
    { case: 'a month 13', argv: ['retry', incident, '--restore-to', '2026-13-22T13:05:00Z'], says: /UTC time/ },
    { case: 'no snapshot’s name', argv: ['retry', incident, '--restore-to', 'snapshot:'], says: /snapshot:<id/ },
    { case: 'no dump’s name', argv: ['retry', incident, '--restore-to', 'dump:'], says: /dump:<name>/ },
    { case: 'a waiver without a reason', argv: ['retry', incident, '--waive', 'row-floors'], says: /needs --reason/ },
    {
      case: 'a waiver of what is no check',
      argv: ['retry', incident, '--waive', 'everything', '--reason', 'x'],
      says: /everything is no check .*row-floors/,
    },
    { case: 'a drill to retry', argv: ['retry', 'drill-20261122T201500Z-1a2b3c4d'], says: /is a drill/ },
    {
      case: 'a restore point to decline',
      argv: ['decline', incident, '--restore-to', 'latest'],
      says: /--restore-to/,
    },
    { case: 'another mode', argv: ['start', '--mode', 'real', '--reason', 'x'], says: /--mode real/ },
    {
      case: 'a recovery that nobody confirmed',
      argv: ['start', '--mode', 'recovery', '--reason', 'x'],
      says: /--confirm production/,
    },
    {
      case: 'a recovery of another environment',
      argv: ['start', '--mode', 'recovery', '--reason', 'x', '--confirm', 'staging'],
      says: /--confirm staging/,
    },
    {
      case: 'tables of a drill',
      argv: ['start', '--reason', 'x', '--tables', 'stocker.product'],
      says: /--tables is for a recovery/,
    },
    ...['product', '', 'a.b,,c'].map((tables) => ({
      case: `tables such as "${tables}"`,
      argv: ['start', '--mode', 'recovery', '--confirm', 'production', '--reason', 'x', '--tables', tables],
      says: /schema\.table,schema\.table/,
    })),
    {
      case: 'a request id with a blank',
      argv: ['start', '--reason', 'x', '--request-id', 'a b'],
      says: /--request-id a b/,
    },
    { case: 'a recovery without a disaster', argv: ['drill', '--mode', 'recovery'], says: /--disaster is missing/ },
    {
      case: 'an unknown disaster',
      argv: ['drill', '--mode', 'recovery', '--disaster', 'fire'],
      says: /fire.*drop-table/,
    },
    { case: 'a failover without its confirmation', argv: ['failover', '--reason', 'x'], says: /--confirm production/ },
    {
      case: 'a style that is none',
      argv: ['failover', '--confirm', 'production', '--reason', 'x', '--style', 'brave'],
      says: /graceful or ungraceful/,
    },
    {
      case: 'a failback of another environment',
      argv: ['failback', '--confirm', 'staging', '--reason', 'x'],
      says: /staging/,
    },
    { case: 'a disaster in a drill', argv: ['drill', '--disaster', 'drop-table'], says: /--mode recovery/ },
  ])('refuse $case, naming the fix', async ({ argv: [command = '', ...rest], says }) => {
    const parsers: Record<string, (argv: readonly string[]) => unknown> = {
      status: parseStatusOptions,
      watch: parseWatchOptions,
      approve: parseApproveOptions,
      decline: parseDeclineOptions,
      cancel: parseCancelOptions,
      retry: parseRetryOptions,
      start: parseStartOptions,
      debt: parseDebtOptions,
      failover: parseFailoverOptions,
      failback: parseFailbackOptions,
      drill: parseDrillOptions,
    };
    expect(() => parsers[command]?.(rest)).toThrow(UsageError);
    expect(() => parsers[command]?.(rest)).toThrow(says);
  });

  test('a rehearsal that could not ask for the approval starts nothing', async () => {
    const argv = ['drill', '--mode', 'recovery', '--disaster', 'drop-table', '--json'];
    expect(await main(argv)).toBe(exitCodes.usage);
  });
});
