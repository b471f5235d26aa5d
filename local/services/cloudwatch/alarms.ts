/** The alarms of one Region: their API, their evaluation on the clock, their history. */
import type {
  DescribeAlarmsCommandInput,
  HistoryItemType,
  PutCompositeAlarmCommandInput,
  PutMetricAlarmCommandInput,
} from '@aws-sdk/client-cloudwatch';
import { type Access, AwsError, type Home, type Operation } from '../../kernel.ts';
import { notImplemented, page } from '../declare.ts';
import { everyInterval, operation, parseArn, required, tagConditions } from '../eventing.ts';
import {
  type Alarm,
  compositeAlarm,
  isSilent,
  judge,
  type MetricAlarm,
  Moment,
  metricAlarm,
  type StateRecord,
  timestamp,
  type Verdict,
} from './alarm.ts';
import type { AlarmState } from './evaluation.ts';
import type { Metrics } from './metrics.ts';
import { runAction, stateChangeEvent } from './notification.ts';

interface HistoryItem {
  readonly alarm: string;
  readonly type: Alarm['type'];
  readonly at: number;
  readonly kind: HistoryItemType;
  readonly summary: string;
  readonly data: object;
}

const STATES: readonly string[] = ['OK', 'ALARM', 'INSUFFICIENT_DATA'];

export class Alarms {
  readonly #home: Home;
  readonly #metrics: Metrics;
  readonly #alarms = new Map<string, Alarm>();
  readonly #history: HistoryItem[] = [];
  readonly #stopping = new AbortController();
  /** The state in which a look at no data left an alarm. */
  readonly #silentIn = new WeakMap<Alarm, AlarmState>();
  #started = false;
  #isHighResolution = false;

  constructor(home: Home, metrics: Metrics) {
    this.#home = home;
    this.#metrics = metrics;
  }

  readonly operations: Record<string, Operation> = {
    PutMetricAlarm: operation<PutMetricAlarmCommandInput>(
      (input) => this.#putAccess('cloudwatch:PutMetricAlarm', input),
      (input) => {
        this.putMetricAlarm(input);
        return {};
      },
    ),
    PutCompositeAlarm: operation<PutCompositeAlarmCommandInput>(
      (input) => this.#putAccess('cloudwatch:PutCompositeAlarm', input),
      (input) => {
        this.putCompositeAlarm(input);
        return {};
      },
    ),
    DeleteAlarms: operation<{ AlarmNames?: string[] }>(
      (input) => this.#access('cloudwatch:DeleteAlarms', input.AlarmNames),
      (input) => {
        for (const name of input.AlarmNames ?? []) this.#find(name);
        for (const name of input.AlarmNames ?? []) this.#alarms.delete(name);
        return {};
      },
    ),
    DescribeAlarms: operation<DescribeAlarmsCommandInput>(
      // "You can't return information about composite alarms if your cloudwatch:DescribeAlarms permission has a narrower
      // scope" than * (API reference). It does not say how that shows: here, as a refusal.
      (input) => [
        ...this.#access('cloudwatch:DescribeAlarms', input.AlarmNames),
        ...(input.AlarmTypes?.includes('CompositeAlarm')
          ? [{ action: 'cloudwatch:DescribeAlarms', resources: ['*'] }]
          : []),
      ],
      (input) => this.#describe(input),
    ),
    DescribeAlarmHistory: operation<{
      AlarmName?: string;
      AlarmTypes?: string[];
      HistoryItemType?: HistoryItemType;
      StartDate?: Date;
      EndDate?: Date;
      ScanBy?: string;
      MaxRecords?: number;
      NextToken?: string;
    }>(
      (input) => this.#access('cloudwatch:DescribeAlarmHistory', input.AlarmName ? [input.AlarmName] : undefined),
      (input) => {
        const types = input.AlarmTypes ?? ['MetricAlarm', 'CompositeAlarm'];
        const items = this.#history
          .filter((item) => !input.AlarmName || item.alarm === input.AlarmName)
          .filter(
            (item) => types.includes(item.type) && (!input.HistoryItemType || item.kind === input.HistoryItemType),
          )
          .filter(
            (item) =>
              item.at >= Number(input.StartDate ?? 0) && item.at <= Number(input.EndDate ?? Number.POSITIVE_INFINITY),
          );
        const ordered = input.ScanBy === 'TimestampAscending' ? items : items.toReversed();
        const { items: shown, next } = page(ordered, input.NextToken, input.MaxRecords ?? 100);
        return { AlarmHistoryItems: shown.map(historyOutput), NextToken: next };
      },
    ),
    EnableAlarmActions: this.#switchActions('cloudwatch:EnableAlarmActions', true),
    DisableAlarmActions: this.#switchActions('cloudwatch:DisableAlarmActions', false),
    // The state holds until the next evaluation finds another one: it cannot make an alarm real.
    SetAlarmState: operation<{
      AlarmName?: string;
      StateValue?: AlarmState;
      StateReason?: string;
      StateReasonData?: string;
    }>(
      (input) => this.#access('cloudwatch:SetAlarmState', [required(input.AlarmName, 'AlarmName', 'MissingParameter')]),
      (input) => {
        const alarm = this.#find(input.AlarmName ?? '');
        const value = required(input.StateValue, 'StateValue', 'MissingParameter');
        if (!STATES.includes(value)) throw new AwsError('InvalidParameterValue', `Invalid StateValue ${value}.`);
        const reason = required(input.StateReason, 'StateReason', 'MissingParameter');
        if (input.StateReasonData !== undefined && !isJson(input.StateReasonData)) {
          throw new AwsError('InvalidFormat', 'StateReasonData must be valid JSON.');
        }
        this.#move(alarm, { value, reason, reasonData: input.StateReasonData });
        if (alarm.type === 'MetricAlarm') this.#evaluateComposites();
        return {};
      },
    ),
  };

  putMetricAlarm(input: PutMetricAlarmCommandInput): Alarm {
    const alarm = this.#put(metricAlarm(input, this.#arn(input.AlarmName ?? ''), this.#home.clock.now()));
    this.#watchHighResolution();
    return alarm;
  }

  putCompositeAlarm(input: PutCompositeAlarmCommandInput): Alarm {
    const alarm = compositeAlarm(input, this.#arn(input.AlarmName ?? ''), this.#home.clock.now());
    for (const child of alarm.rule.alarms) this.#find(child);
    this.#put(alarm);
    this.#evaluateComposites();
    return alarm;
  }

  /** Undefined where no metric alarm has that name. */
  findMetricAlarm(name: string): MetricAlarm | undefined {
    const alarm = this.#alarms.get(name);
    return alarm?.type === 'MetricAlarm' ? alarm : undefined;
  }

  /** How an alarm's data judges by its rule at the latest full minute, whatever state the alarm is in. */
  judgeData(alarm: MetricAlarm): Verdict | undefined {
    const { clock } = this.#home;
    const minute = clock.scale(60_000);
    return judge(alarm, this.#metrics, clock, new Moment(clock, Math.floor(clock.now() / minute) * minute));
  }

  /** Alarms are evaluated every minute; those with a period of 10 or 30 seconds every 10 seconds. */
  start(): void {
    this.#started = true;
    void everyInterval(this.#home.clock, 60_000, this.#stopping.signal, (boundary) => this.#evaluate(boundary, false));
    this.#watchHighResolution();
  }

  stop(): void {
    this.#stopping.abort();
  }

  #watchHighResolution(): void {
    const isNeeded = [...this.#alarms.values()].some(isHighResolution);
    if (!this.#started || this.#isHighResolution || !isNeeded) return;
    this.#isHighResolution = true;
    void everyInterval(this.#home.clock, 10_000, this.#stopping.signal, (boundary) => this.#evaluate(boundary, true));
  }

  #evaluate(boundary: number, highResolution: boolean): void {
    const { clock } = this.#home;
    const moment = new Moment(clock, boundary);
    for (const alarm of this.#alarms.values()) {
      if (alarm.type !== 'MetricAlarm' || isHighResolution(alarm) !== highResolution) continue;
      const silent = isSilent(alarm, this.#metrics, moment);
      if (silent && this.#silentIn.get(alarm) === alarm.state.value) continue;
      const verdict = judge(alarm, this.#metrics, clock, moment);
      if (verdict) this.#move(alarm, verdict);
      if (silent) this.#silentIn.set(alarm, alarm.state.value);
    }
    this.#evaluateComposites();
  }

  /** A composite may watch composites: repeated until nothing moves, at most once per alarm, so that a loop ends. */
  #evaluateComposites(): void {
    const composites = [...this.#alarms.values()].filter((alarm) => alarm.type === 'CompositeAlarm');
    for (let round = 0; round < composites.length; round++) {
      const moved = composites.filter((alarm) => {
        const holds = alarm.rule.holds((child) => this.#alarms.get(nameOf(child))?.state.value ?? 'INSUFFICIENT_DATA');
        if ((holds ? 'ALARM' : 'OK') === alarm.state.value) return false;
        const children = alarm.rule.alarms
          .map((child) => this.#alarms.get(nameOf(child)))
          .filter((child) => child !== undefined);
        return this.#move(alarm, {
          value: holds ? 'ALARM' : 'OK',
          reason: `${children.map((child) => `${child.arn} is ${child.state.value}`).join(', ')}: the rule ${holds ? 'holds' : 'does not hold'}.`,
          reasonData: JSON.stringify({
            triggeringAlarms: children.map((child) => ({
              arn: child.arn,
              state: { value: child.state.value, timestamp: timestamp(child.state.at) },
            })),
          }),
        });
      });
      if (moved.length === 0) return;
    }
  }

  /** Answers whether the state changed. Staying in a state changes nothing, runs nothing. */
  #move(alarm: Alarm, state: Omit<StateRecord, 'at'>): boolean {
    if (alarm.state.value === state.value) return false;
    const transition = { alarm, from: alarm.state, to: { ...state, at: this.#home.clock.now() } };
    alarm.state = transition.to;
    const event = stateChangeEvent(transition);
    this.#remember(alarm, 'StateUpdate', `Alarm updated from ${transition.from.value} to ${state.value}`, event.detail);
    this.#home.emit(event);
    if (!alarm.actionsEnabled) return true;
    for (const action of alarm.actions[state.value]) {
      void runAction(this.#home, action, transition, this.#stopping.signal).then((failure) =>
        failure
          ? this.#remember(
              alarm,
              'Action',
              `Failed to execute action ${action}. Received error: "${failure.message}"`,
              failure,
            )
          : this.#remember(alarm, 'Action', `Successfully executed action ${action}`, {}),
      );
    }
    return true;
  }

  /** An update keeps the state that the alarm has, as on AWS. */
  #put<A extends Alarm>(alarm: A): A {
    const old = this.#alarms.get(alarm.name);
    if (old) alarm.state = old.state;
    this.#alarms.set(alarm.name, alarm);
    this.#remember(alarm, 'ConfigurationUpdate', `Alarm "${alarm.name}" ${old ? 'updated' : 'created'}`, {});
    return alarm;
  }

  #remember(alarm: Alarm, kind: HistoryItemType, summary: string, data: object): void {
    const at = this.#home.clock.now();
    this.#history.push({ alarm: alarm.name, type: alarm.type, at, kind, summary, data });
  }

  #describe(input: DescribeAlarmsCommandInput) {
    for (const filter of ['ChildrenOfAlarmName', 'ParentsOfAlarmName'] as const) {
      if (input[filter]) throw notImplemented(`DescribeAlarms with ${filter}`);
    }
    const types: readonly string[] = input.AlarmTypes ?? ['MetricAlarm'];
    const chosen = [...this.#alarms.values()]
      .filter((alarm) => types.includes(alarm.type) && alarm.name.startsWith(input.AlarmNamePrefix ?? ''))
      .filter((alarm) => !input.AlarmNames?.length || input.AlarmNames.includes(alarm.name))
      .filter((alarm) => !input.StateValue || alarm.state.value === input.StateValue)
      .filter(
        ({ actions }) =>
          Object.values(actions)
            .flat()
            .some((action) => action.startsWith(input.ActionPrefix ?? '')) || !input.ActionPrefix,
      );
    const { items, next } = page(chosen, input.NextToken, input.MaxRecords ?? 50);
    return {
      MetricAlarms: items.filter(({ type }) => type === 'MetricAlarm').map(alarmOutput),
      CompositeAlarms: items.filter(({ type }) => type === 'CompositeAlarm').map(alarmOutput),
      NextToken: next,
    };
  }

  #switchActions(action: string, enabled: boolean): Operation {
    return operation<{ AlarmNames?: string[] }>(
      (input) => this.#access(action, input.AlarmNames),
      (input) => {
        for (const name of input.AlarmNames ?? []) this.#find(name).actionsEnabled = enabled;
        return {};
      },
    );
  }

  #access(action: string, names: readonly string[] = ['*']): Access[] {
    return names.map((name) => ({
      action,
      resources: [this.#arn(name)],
      conditions: tagConditions(this.#alarms.get(name)?.tags),
    }));
  }

  #putAccess(action: string, input: PutCompositeAlarmCommandInput | PutMetricAlarmCommandInput): Access[] {
    const actions = [input.AlarmActions, input.OKActions, input.InsufficientDataActions].flatMap((list) => list ?? []);
    const conditions = { 'cloudwatch:AlarmActions': actions.length > 0 ? actions : undefined };
    return [{ action, resources: [this.#arn(required(input.AlarmName, 'AlarmName', 'MissingParameter'))], conditions }];
  }

  #find(nameOrArn: string): Alarm {
    const alarm = this.#alarms.get(nameOf(nameOrArn));
    if (!alarm) throw new AwsError('ResourceNotFound', `The alarm ${nameOrArn} does not exist.`);
    return alarm;
  }

  #arn(name: string): string {
    return `arn:aws:cloudwatch:${this.#home.region}:${this.#home.account}:alarm:${name}`;
  }
}

const isHighResolution = (alarm: Alarm) => alarm.type === 'MetricAlarm' && alarm.periodSeconds < 60;

const nameOf = (alarm: string) => (alarm.startsWith('arn:') ? parseArn(alarm).resource.replace(/^alarm:/, '') : alarm);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const historyOutput = (item: HistoryItem) => ({
  AlarmName: item.alarm,
  AlarmType: item.type,
  Timestamp: new Date(item.at),
  HistoryItemType: item.kind,
  HistorySummary: item.summary,
  HistoryData: JSON.stringify(item.data),
});

function alarmOutput(alarm: Alarm) {
  const { Tags: _, ...input } =
    alarm.type === 'MetricAlarm' ? alarm.input : { AlarmRule: alarm.ruleText, Tags: undefined };
  return {
    ...input,
    AlarmName: alarm.name,
    AlarmArn: alarm.arn,
    AlarmDescription: alarm.description,
    AlarmConfigurationUpdatedTimestamp: new Date(alarm.configuredAt),
    ActionsEnabled: alarm.actionsEnabled,
    OKActions: [...alarm.actions.OK],
    AlarmActions: [...alarm.actions.ALARM],
    InsufficientDataActions: [...alarm.actions.INSUFFICIENT_DATA],
    StateValue: alarm.state.value,
    StateReason: alarm.state.reason,
    StateReasonData: alarm.state.reasonData,
    StateUpdatedTimestamp: new Date(alarm.state.at),
    StateTransitionedTimestamp: new Date(alarm.state.at),
  };
}
