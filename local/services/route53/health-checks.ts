/** Health checks: their configuration, their work on the cloud's clock, and whether each is healthy now. */
import { randomUUID } from 'node:crypto';
import { AwsError, type Home } from '../../kernel.ts';
import type { AlarmData } from '../cloudwatch/index.ts';
import { everyInterval, recordMetric } from '../eventing.ts';
import { observe } from './endpoint-checker.ts';
import { invalidInput, noSuchHealthCheck } from './errors.ts';
import { type HealthConfig, isEndpoint, type MetricConfig } from './health-config.ts';

type MetricAlarm = NonNullable<ReturnType<AlarmData['findMetricAlarm']>>;

export interface HealthCheck {
  readonly id: string;
  readonly callerReference: string;
  readonly tags: Map<string, string>;
  config: HealthConfig;
  /** 1 at first; grows with every update. */
  version: number;
  /** Of a metric check: the alarm as it was when the check was created or updated. */
  alarm: MetricAlarm | undefined;
  /** What the checker found; a new check starts healthy. */
  isFoundHealthy: boolean;
  /** Observations in a row that say otherwise. */
  contrary: number;
  last: { readonly at: number; readonly text: string } | undefined;
  ended: AbortController;
}

/** How often a metric's data stream is read, in milliseconds. AWS does not publish it. */
const readEveryMs = 10_000;
const publishEveryMs = 60_000;

export class HealthChecks {
  readonly #home: Home;
  readonly #resolve: (host: string) => string | undefined;
  readonly #checks = new Map<string, HealthCheck>();
  readonly #usedReferences = new Map<string, string>();
  readonly #ended = new AbortController();

  constructor(home: Home, resolve: (host: string) => string | undefined) {
    this.#home = home;
    this.#resolve = resolve;
  }

  /** The same reference with the same settings is the same check. Throws HealthCheckAlreadyExists, InvalidInput. */
  create(callerReference: string, config: HealthConfig): HealthCheck {
    const usedBy = this.#usedReferences.get(callerReference);
    if (usedBy !== undefined) {
      const known = this.#checks.get(usedBy);
      if (known !== undefined && JSON.stringify(known.config) === JSON.stringify(config)) return known;
      const message = 'A health check already exists with the specified caller reference.';
      throw new AwsError('HealthCheckAlreadyExists', message);
    }
    const check: HealthCheck = {
      ...{ id: randomUUID(), callerReference, tags: new Map(), config, version: 1 },
      ...{ alarm: this.#alarmOf(config), isFoundHealthy: true, contrary: 0, last: undefined },
      ended: new AbortController(),
    };
    this.#checkChildren(config);
    this.#usedReferences.set(callerReference, check.id);
    this.#checks.set(check.id, check);
    this.#work(check);
    return check;
  }

  /** Throws NoSuchHealthCheck. */
  find(id: string | undefined): HealthCheck {
    const check = this.#checks.get(id ?? '');
    if (check === undefined) throw noSuchHealthCheck(id ?? '');
    return check;
  }

  has(id: string): boolean {
    return this.#checks.has(id);
  }

  all(): readonly HealthCheck[] {
    return [...this.#checks.values()];
  }

  /** Keeps what was found so far; reads the alarm again. Throws HealthCheckVersionMismatch. */
  update(check: HealthCheck, config: HealthConfig, version: number | undefined): void {
    if (version !== undefined && version !== check.version) {
      const message = `The health check has version ${check.version}, not ${version}.`;
      throw new AwsError('HealthCheckVersionMismatch', message);
    }
    this.#checkChildren(config);
    check.alarm = this.#alarmOf(config);
    check.config = config;
    check.version += 1;
    check.contrary = 0;
    check.ended.abort();
    check.ended = new AbortController();
    this.#work(check);
  }

  /** Records that name it stay: they count as healthy from now on. */
  delete(check: HealthCheck): void {
    check.ended.abort();
    this.#checks.delete(check.id);
  }

  /** A check that is disabled counts as healthy, and so does one that is gone. Inverting comes last. */
  isHealthy(id: string): boolean {
    const check = this.#checks.get(id);
    if (check === undefined) return true;
    const { isDisabled, isInverted } = check.config;
    return (isDisabled || this.#isFound(check)) !== isInverted;
  }

  /** Publishes every minute whether each is healthy, in the one Region that has Route 53's metrics. */
  start(): void {
    void everyInterval(this.#home.clock, publishEveryMs, this.#ended.signal, () => {
      for (const { id, config } of this.#checks.values()) {
        if (config.isDisabled || this.#home.darkness.isDark(this.#home.region)) continue;
        const value = this.isHealthy(id) ? 1 : 0;
        recordMetric(this.#home, 'AWS/Route53', 'HealthCheckStatus', { HealthCheckId: id }, value);
      }
    });
  }

  stop(): void {
    this.#ended.abort();
    for (const { ended } of this.#checks.values()) ended.abort();
  }

  #isFound(check: HealthCheck): boolean {
    const { config } = check;
    if (config.type !== 'CALCULATED') return check.isFoundHealthy;
    return config.children.filter((child) => this.isHealthy(child)).length >= config.threshold;
  }

  #work(check: HealthCheck): void {
    const { config, ended } = check;
    if (config.isDisabled || config.type === 'CALCULATED') return;
    const signal = AbortSignal.any([ended.signal, this.#ended.signal]);
    const work = isEndpoint(config) ? this.#askForEver(check, signal) : this.#readForEver(check, config, signal);
    work.catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  async #askForEver(check: HealthCheck, signal: AbortSignal): Promise<void> {
    const { config } = check;
    if (!isEndpoint(config)) return;
    const { clock } = this.#home;
    for (;;) {
      const { isSuccess, text } = await observe(this.#home, config, this.#resolve, signal);
      if (signal.aborted) return;
      check.last = { at: clock.now(), text };
      check.contrary = isSuccess === check.isFoundHealthy ? 0 : check.contrary + 1;
      if (check.contrary >= config.failureThreshold) {
        check.isFoundHealthy = isSuccess;
        check.contrary = 0;
      }
      // From the answer to the next request.
      await clock.sleep(config.intervalSeconds * 1000, signal);
    }
  }

  /** Reads what the alarm watches, not its state: SetAlarmState moves nothing here. */
  async #readForEver(check: HealthCheck, config: MetricConfig, signal: AbortSignal): Promise<void> {
    const { clock, darkness } = this.#home;
    for (;;) {
      await clock.sleep(readEveryMs, signal);
      const { region } = config.alarm;
      const verdict =
        check.alarm === undefined || darkness.isDark(region)
          ? { value: 'INSUFFICIENT_DATA' as const, reason: `no data from ${region}` }
          : this.#cloudWatch(region).judgeData(check.alarm);
      if (verdict === undefined) continue;
      if (verdict.value !== 'INSUFFICIENT_DATA') check.isFoundHealthy = verdict.value === 'OK';
      else if (config.withoutData !== 'LastKnownStatus') check.isFoundHealthy = config.withoutData === 'Healthy';
      const text = `${check.isFoundHealthy ? 'Success' : 'Failure'}: ${verdict.value}: ${verdict.reason}`;
      check.last = { at: clock.now(), text };
    }
  }

  /** Standard resolution and the five basic statistics only (API reference, AlarmIdentifier). */
  #alarmOf(config: HealthConfig): MetricAlarm | undefined {
    if (config.type !== 'CLOUDWATCH_METRIC') return undefined;
    const { name, region } = config.alarm;
    const isKnown = this.#home.regions.includes(region) && !this.#home.darkness.isDark(region);
    const alarm = isKnown ? this.#cloudWatch(region).findMetricAlarm(name) : undefined;
    if (alarm === undefined) throw invalidInput(`Invalid parameter : no metric alarm ${name} in ${region}`);
    if (alarm.periodSeconds < 60) throw invalidInput(`Invalid parameter : ${name} is a high-resolution alarm`);
    if (alarm.input.ExtendedStatistic !== undefined || alarm.input.Metrics !== undefined) {
      throw invalidInput(`Invalid parameter : ${name} watches no basic statistic of one metric`);
    }
    return alarm;
  }

  #cloudWatch(region: string): AlarmData {
    return this.#home.service('cloudwatch', region) as AlarmData;
  }

  #checkChildren(config: HealthConfig): void {
    if (config.type !== 'CALCULATED') return;
    for (const child of config.children) {
      if (this.#checks.get(child) === undefined) throw invalidInput(`Invalid parameter : no health check ${child}`);
      if (this.find(child).config.type === 'CALCULATED') {
        throw invalidInput(`Invalid parameter : ${child} is a calculated health check itself`);
      }
    }
  }
}
