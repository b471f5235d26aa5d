import type * as sdk from '@aws-sdk/client-route-53';
import { beforeEach, describe, expect, it } from 'vitest';
import { alias, codeOf, MINUTE, openSite, record, type Site } from './home.ts';

let site: Site;
beforeEach(() => {
  site = openSite();
});

const SECOND = 1000;
const http = { Type: 'HTTP', IPAddress: '127.0.0.1', Port: 8080, RequestInterval: 10, FailureThreshold: 3 } as const;
const healthy = (id: string) => site.service.isHealthy(id);
const pass = (ms: number) => site.home.clock.advance(ms);
const update = (HealthCheckId: string, input: object) => site.call('UpdateHealthCheck', { HealthCheckId, ...input });

describe('a check of an endpoint', () => {
  it('starts healthy, and is unhealthy after as many failures in a row as its threshold', async () => {
    const id = await site.check(http); // asks at once, and nothing listens
    expect(healthy(id)).toBe(true);
    await pass(19 * SECOND);
    expect(healthy(id)).toBe(true);
    await pass(2 * SECOND);
    expect(healthy(id)).toBe(false);
    const { HealthCheckObservations } = await site.call<sdk.GetHealthCheckStatusResponse>('GetHealthCheckStatus', {
      HealthCheckId: id,
    });
    expect(HealthCheckObservations?.[0]?.StatusReport?.Status).toMatch(/^Failure: Connection refused/);
  });

  it('is healthy again after as many successes in a row, not one less', async () => {
    let status = 500;
    await site.serve(8080, () => status);
    const id = await site.check(http);
    await pass(21 * SECOND);
    expect(healthy(id)).toBe(false);
    status = 204;
    await pass(20 * SECOND);
    expect(healthy(id)).toBe(false);
    status = 404;
    await pass(10 * SECOND);
    status = 302;
    await pass(20 * SECOND);
    expect(healthy(id)).toBe(false);
    await pass(10 * SECOND);
    expect(healthy(id)).toBe(true);
  });

  it('fails where the endpoint accepts and never answers, after two seconds', async () => {
    await site.network.listen(() => {}, { port: 8080 });
    const id = await site.check({ ...http, FailureThreshold: 1 });
    await pass(1900);
    expect(healthy(id)).toBe(true);
    await pass(200);
    expect(healthy(id)).toBe(false);
  });

  it('asks every 30 seconds unless told otherwise', async () => {
    const { RequestInterval: _, ...usual } = http;
    const id = await site.check(usual);
    await pass(59 * SECOND);
    expect(healthy(id)).toBe(true);
    await pass(2 * SECOND);
    expect(healthy(id)).toBe(false);
  });

  it('over TCP is content with a connection', async () => {
    await site.serve(8080, () => 500);
    const tcp = { ...http, Type: 'TCP' } as const;
    const [open, closed] = [await site.check(tcp), await site.check({ ...tcp, Port: 8081 })];
    await pass(MINUTE);
    expect([healthy(open), healthy(closed)]).toEqual([true, false]);
  });

  it('finds its address by name, in the zones as they answer', async () => {
    await site.serve(8080, () => 200);
    const zone = await site.zone();
    const { IPAddress: _, ...named } = { ...http, FullyQualifiedDomainName: 'east.stocker.example' };
    const id = await site.check(named);
    await pass(MINUTE);
    expect(healthy(id)).toBe(false);
    await site.change(zone, record('CREATE', 'east.stocker.example', '127.0.0.1'));
    await pass(2 * MINUTE);
    expect(healthy(id)).toBe(true);
  });

  it('counts as healthy while it is disabled, and the other way round while it is inverted', async () => {
    const id = await site.check(http);
    await pass(MINUTE);
    expect(healthy(id)).toBe(false);
    await update(id, { Inverted: true });
    expect(healthy(id)).toBe(true);
    await update(id, { Disabled: true });
    expect(healthy(id)).toBe(false);
    await update(id, { Inverted: false });
    expect(healthy(id)).toBe(true);
    await update(id, { Disabled: false });
    await pass(MINUTE);
    expect(healthy(id)).toBe(false);
  });

  it('goes on while the Region of the API is dark', async () => {
    const id = await site.check(http);
    site.outages.goDark('us-east-1', 'refuse');
    await pass(MINUTE);
    expect(healthy(id)).toBe(false);
  });

  it('is updated by who knows its version', async () => {
    const id = await site.check(http);
    await update(id, { HealthCheckVersion: 1, FailureThreshold: 5 });
    expect(await codeOf(update(id, { HealthCheckVersion: 1 }))).toMatchObject({ code: 'HealthCheckVersionMismatch' });
    expect(await site.call('GetHealthCheck', { HealthCheckId: id })).toMatchObject({
      HealthCheck: { HealthCheckVersion: 2, HealthCheckConfig: { ...http, FailureThreshold: 5 } },
    });
  });

  it('is the same for the same reference, and another config is refused', async () => {
    const create = (HealthCheckConfig: object) =>
      site.call<sdk.CreateHealthCheckResponse>('CreateHealthCheck', { CallerReference: 'x', HealthCheckConfig });
    const [one, two] = [await create(http), await create(http)];
    expect(two.HealthCheck?.Id).toBe(one.HealthCheck?.Id);
    expect(await codeOf(create({ ...http, Port: 1 }))).toMatchObject({ code: 'HealthCheckAlreadyExists' });
    await site.call('DeleteHealthCheck', { HealthCheckId: one.HealthCheck?.Id });
    expect(await codeOf(create(http))).toMatchObject({ code: 'HealthCheckAlreadyExists' });
    expect((await site.call<sdk.ListHealthChecksResponse>('ListHealthChecks', {})).HealthChecks).toEqual([]);
  });

  it.each([
    { case: 'an interval of 20', config: { ...http, RequestInterval: 20 }, code: 'InvalidInput' },
    { case: 'no endpoint', config: { Type: 'HTTP' }, code: 'InvalidInput' },
    { case: 'a threshold of 11', config: { ...http, FailureThreshold: 11 }, code: 'InvalidInput' },
    {
      case: 'an alarm',
      config: { ...http, AlarmIdentifier: { Name: 'a', Region: 'us-east-1' } },
      code: 'InvalidInput',
    },
    { case: 'an address elsewhere', config: { ...http, IPAddress: '192.0.2.1' }, code: 'NotImplemented' },
    { case: 'Regions', config: { ...http, Regions: ['us-east-1', 'us-west-1', 'eu-west-1'] }, code: 'NotImplemented' },
    { case: 'a string to find', config: { Type: 'HTTP_STR_MATCH', SearchString: 'ok' }, code: 'NotImplemented' },
  ])('is refused with $case', async ({ config, code }) => {
    const create = site.call('CreateHealthCheck', { CallerReference: 'x', HealthCheckConfig: config });
    expect(await codeOf(create)).toMatchObject({ code });
  });
});

describe('a calculated check', () => {
  it.each([
    { threshold: 0, ofTwo: [true, true, true] },
    { threshold: 1, ofTwo: [false, true, true] },
    { threshold: 2, ofTwo: [false, false, true] },
    { threshold: 3, ofTwo: [false, false, false] },
  ])('is healthy from $threshold healthy children on', async ({ threshold, ofTwo }) => {
    const child = () => site.check({ ...http, Disabled: true });
    const [one, two] = [await child(), await child()];
    const ChildHealthChecks = [one, two];
    const id = await site.check({ Type: 'CALCULATED', ChildHealthChecks, HealthThreshold: threshold });
    const found: boolean[] = [];
    for (const inverted of [
      [true, true],
      [true, false],
      [false, false],
    ]) {
      await update(one, { Inverted: inverted[0] });
      await update(two, { Inverted: inverted[1] });
      found.push(healthy(id));
    }
    expect(found).toEqual(ofTwo);
  });

  it('has children that exist, and no status of its own in the API', async () => {
    const orphan = site.check({ Type: 'CALCULATED', ChildHealthChecks: ['none'], HealthThreshold: 1 });
    expect(await codeOf(orphan)).toMatchObject({ code: 'InvalidInput' });
    const id = await site.check({ Type: 'CALCULATED', ChildHealthChecks: [await site.check(http)] });
    const asked = site.call('GetHealthCheckStatus', { HealthCheckId: id });
    expect(await codeOf(asked)).toMatchObject({ code: 'InvalidInput' });
  });
});

describe('a check of a metric', () => {
  const REGION = 'us-west-2';
  const alarm = {
    ...{ AlarmName: 'latch', Namespace: 'Stocker', MetricName: 'Latched', Statistic: 'Maximum', Period: 60 },
    ...{ EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: 'GreaterThanOrEqualToThreshold' },
    TreatMissingData: 'missing',
  };
  const metric = (InsufficientDataHealthStatus?: sdk.InsufficientDataHealthStatus): sdk.HealthCheckConfig => ({
    Type: 'CLOUDWATCH_METRIC',
    AlarmIdentifier: { Name: 'latch', Region: REGION },
    InsufficientDataHealthStatus,
  });
  const publish = (Value: number) =>
    site.cloudWatch(REGION, 'PutMetricData', {
      Namespace: 'Stocker',
      MetricData: [{ MetricName: 'Latched', Value }],
    });
  /** As the product does: a data point every minute. */
  const publishFor = async (minutes: number, value: number) => {
    for (let minute = 0; minute < minutes; minute++) {
      await publish(value);
      await pass(MINUTE);
    }
  };
  beforeEach(() => site.cloudWatch(REGION, 'PutMetricAlarm', alarm));

  it('follows the data of the alarm by its rule', async () => {
    const id = await site.check(metric());
    expect(healthy(id)).toBe(true);
    await publishFor(2, 1);
    expect(healthy(id)).toBe(false);
    await publishFor(2, 0);
    expect(healthy(id)).toBe(true);
  });

  it('is not forced by the state that somebody sets', async () => {
    const id = await site.check(metric());
    await publishFor(2, 0);
    await site.cloudWatch(REGION, 'SetAlarmState', { AlarmName: 'latch', StateValue: 'ALARM', StateReason: 'by hand' });
    await publishFor(1, 0);
    expect(healthy(id)).toBe(true);
  });

  it.each([
    { withoutData: 'LastKnownStatus', before: 1, after: false },
    { withoutData: 'LastKnownStatus', before: 0, after: true },
    { withoutData: 'Healthy', before: 1, after: true },
    { withoutData: 'Unhealthy', before: 0, after: false },
  ] as const)('is $after without data, where $withoutData says so after $before', async (given) => {
    const id = await site.check(metric(given.withoutData));
    await publishFor(2, given.before);
    await pass(10 * MINUTE);
    expect(healthy(id)).toBe(given.after);
  });

  it('has no data while the Region of the alarm is dark', async () => {
    const [last, unhealthy] = [await site.check(metric()), await site.check(metric('Unhealthy'))];
    await publishFor(2, 0);
    site.outages.goDark(REGION, 'refuse');
    await pass(MINUTE);
    expect([healthy(last), healthy(unhealthy)]).toEqual([true, false]);
    site.outages.comeBack(REGION);
    await publishFor(2, 1);
    expect([healthy(last), healthy(unhealthy)]).toEqual([false, false]);
  });

  it('is unhealthy without data where the alarm treats that as breaching', async () => {
    await site.cloudWatch(REGION, 'PutMetricAlarm', { ...alarm, TreatMissingData: 'breaching' });
    const id = await site.check(metric('Healthy'));
    await pass(2 * MINUTE);
    expect(healthy(id)).toBe(false);
  });

  it('keeps the alarm as it was, until it is updated', async () => {
    const id = await site.check(metric());
    await site.cloudWatch(REGION, 'PutMetricAlarm', { ...alarm, Threshold: 5 });
    await publishFor(2, 1);
    expect(healthy(id)).toBe(false);
    await update(id, { AlarmIdentifier: { Name: 'latch', Region: REGION } });
    await publishFor(2, 1);
    expect(healthy(id)).toBe(true);
    expect(await site.call('GetHealthCheck', { HealthCheckId: id })).toMatchObject({
      HealthCheck: { CloudWatchAlarmConfiguration: { Threshold: 5, Period: 60, MetricName: 'Latched' } },
    });
  });

  it('takes no alarm that is not there, none of high resolution, none of metric math', async () => {
    for (const AlarmName of ['fast', 'math']) {
      const { Namespace, MetricName, Statistic, Period: _, ...rest } = alarm;
      const simple = { Namespace, MetricName, Statistic, Period: 10 };
      const MetricStat = { Metric: { Namespace, MetricName }, Stat: 'Sum', Period: 60 };
      const Metrics = [
        { Id: 'a', MetricStat, ReturnData: false },
        { Id: 'b', Expression: 'a * 2' },
      ];
      await site.cloudWatch(REGION, 'PutMetricAlarm', {
        ...rest,
        AlarmName,
        ...(AlarmName === 'fast' ? simple : { Metrics }),
      });
    }
    for (const Name of ['none', 'fast', 'math']) {
      const check = site.check({ Type: 'CLOUDWATCH_METRIC', AlarmIdentifier: { Name, Region: REGION } });
      expect(await codeOf(check)).toMatchObject({ code: 'InvalidInput' });
    }
  });
});

describe('health', () => {
  let zone: string;
  let checks: { primary: string; secondary: string };
  const [PRIMARY, SECONDARY] = ['192.0.2.1', '192.0.2.2'];
  const failover = (role: 'PRIMARY' | 'SECONDARY', value: string, HealthCheckId?: string) =>
    record('CREATE', 'api.stocker.example', value, { SetIdentifier: role, Failover: role, HealthCheckId });
  /** A disabled check is healthy, and unhealthy when inverted: no endpoint is needed. */
  const make = (unhealthy: boolean) => site.check({ ...http, Disabled: true, Inverted: unhealthy });

  beforeEach(async () => {
    zone = await site.zone();
  });

  it.each([
    { primary: true, secondary: true, answer: PRIMARY },
    { primary: true, secondary: false, answer: PRIMARY },
    { primary: false, secondary: true, answer: SECONDARY },
    { primary: false, secondary: false, answer: PRIMARY },
    { primary: false, secondary: undefined, answer: SECONDARY },
    { primary: undefined, secondary: true, answer: PRIMARY },
  ])('of primary $primary and secondary $secondary (undefined: no check) answers $answer', async (given) => {
    const { primary, secondary, answer } = given;
    checks = { primary: await make(primary === false), secondary: await make(secondary === false) };
    await site.change(
      zone,
      failover('PRIMARY', PRIMARY, primary === undefined ? undefined : checks.primary),
      failover('SECONDARY', SECONDARY, secondary === undefined ? undefined : checks.secondary),
    );
    await pass(MINUTE);
    expect(site.answers('api.stocker.example')).toEqual([answer]);
  });

  it('moves an answer without a change of records', async () => {
    const primary = await make(false);
    await site.change(zone, failover('PRIMARY', PRIMARY, primary), failover('SECONDARY', SECONDARY));
    await pass(MINUTE);
    expect(site.answers('api.stocker.example')).toEqual([PRIMARY]);
    await update(primary, { Inverted: true });
    expect(site.answers('api.stocker.example')).toEqual([SECONDARY]);
    await site.call('DeleteHealthCheck', { HealthCheckId: primary });
    expect(site.answers('api.stocker.example')).toEqual([PRIMARY]);
  });

  it.each([
    { evaluates: true, answer: SECONDARY },
    { evaluates: false, answer: PRIMARY },
  ])('of an alias’s target counts only where it is evaluated ($evaluates)', async ({ evaluates, answer }) => {
    const target = { SetIdentifier: 'only', Weight: 1, HealthCheckId: await make(true) };
    await site.change(
      zone,
      record('CREATE', 'east.stocker.example', PRIMARY, target),
      alias(
        'CREATE',
        'api.stocker.example',
        zone,
        'east.stocker.example',
        { SetIdentifier: 'p', Failover: 'PRIMARY' },
        evaluates,
      ),
      failover('SECONDARY', SECONDARY),
    );
    await pass(MINUTE);
    expect(site.answers('api.stocker.example')).toEqual([answer]);
  });

  it('takes weighted records out, those of weight 0 coming in last, and all where none is healthy', async () => {
    const ids = [await make(false), await make(false)];
    const weighted = (value: string, SetIdentifier: string, Weight: number, HealthCheckId?: string) =>
      record('CREATE', 'w.stocker.example', value, { SetIdentifier, Weight, HealthCheckId });
    await site.change(
      zone,
      weighted('192.0.2.1', 'one', 10, ids[0]),
      weighted('192.0.2.2', 'two', 10, ids[1]),
      weighted('192.0.2.3', 'last', 0),
    );
    await pass(MINUTE);
    expect(site.answers('w.stocker.example')).toEqual(['192.0.2.1']);
    await update(ids[0] ?? '', { Inverted: true });
    expect(site.answers('w.stocker.example')).toEqual(['192.0.2.2']);
    await update(ids[1] ?? '', { Inverted: true });
    expect(site.answers('w.stocker.example')).toEqual(['192.0.2.3']);
  });

  it('is published every minute where Route 53 has its metrics, unless that Region is dark', async () => {
    site.service.start?.();
    await site.home.clock.advance(0);
    const id = await make(true);
    await update(id, { Disabled: false, Inverted: false });
    await pass(3 * MINUTE);
    const input = {
      ...{ Namespace: 'AWS/Route53', MetricName: 'HealthCheckStatus', Period: 60, Statistics: ['SampleCount', 'Sum'] },
      Dimensions: [{ Name: 'HealthCheckId', Value: id }],
      ...{ StartTime: new Date(Date.UTC(2026, 0, 1)), EndTime: new Date(Date.UTC(2026, 0, 2)) },
    };
    const points = async () =>
      ((await site.cloudWatch('us-east-1', 'GetMetricStatistics', input)) as { Datapoints: { Sum: number }[] })
        .Datapoints;
    const before = await points();
    expect(before.length).toBeGreaterThanOrEqual(2);
    expect(before.at(-1)?.Sum).toBe(0);
    site.outages.goDark('us-east-1', 'refuse');
    await pass(3 * MINUTE);
    expect(await points()).toHaveLength(before.length);
  });
});
