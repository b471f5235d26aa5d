/** EventBridge: the default bus of a Region, its rules, and the delivery of events to their targets. */
import { randomUUID } from 'node:crypto';
import type { PutEventsCommandInput } from '@aws-sdk/client-eventbridge';
import {
  type Access,
  AwsError,
  type BusEvent,
  type Home,
  type Operation,
  type Principal,
  type ResourceContext,
  type ResourceResult,
  type Service,
  type ServiceDefinition,
} from '../../kernel.ts';
import { notImplemented, page, refuseUnknown } from '../declare.ts';
import {
  assumeRole,
  type DeliveryFailure,
  deliverWithRetries,
  epochMs,
  failureAttributes,
  operation,
  parseArn,
  physicalName,
  type RetryPolicy,
  recordMetric,
  required,
  sendToDeadLetterQueue,
  type Tags,
  tagConditions,
  tagsOf,
} from '../eventing.ts';
import { checkInput, type TargetInput, targetInput } from './input.ts';
import { compilePattern, type Matcher, parsePattern } from './pattern.ts';
import { callerOf, callTarget } from './targets.ts';

interface Target extends TargetInput {
  readonly Id: string;
  readonly Arn: string;
  readonly RoleArn?: string;
  readonly RetryPolicy?: RetryPolicy;
  readonly DeadLetterConfig?: { readonly Arn?: string };
}
const TARGET_MEMBERS = [
  'Id',
  'Arn',
  'RoleArn',
  'Input',
  'InputPath',
  'InputTransformer',
  'RetryPolicy',
  'DeadLetterConfig',
];

interface Rule {
  readonly name: string;
  readonly arn: string;
  readonly description: string | undefined;
  readonly pattern: string;
  readonly matches: Matcher;
  /** What the pattern asks of source and detail type alone. */
  readonly awaits: Matcher;
  readonly targets: readonly Target[];
  readonly tags: Tags;
  state: 'ENABLED' | 'DISABLED';
}

/** An event as rules see it and targets receive it. */
interface Envelope extends Omit<BusEvent, 'time'> {
  readonly version: '0';
  readonly id: string;
  readonly account: string;
  readonly region: string;
  readonly time: string;
}

/** A delivery that was given up, and whether a dead-letter queue took it. */
export interface Undelivered extends DeliveryFailure {
  readonly ruleArn: string;
  readonly targetArn: string;
  readonly event: object;
  readonly deadLettered: boolean;
}

type RuleName = { Name?: string | undefined; EventBusName?: string | undefined };
const SERVICE = 'events.amazonaws.com';

export class EventBridge implements Service {
  readonly #home: Home;
  readonly #rules = new Map<string, Rule>();
  readonly #stopping = new AbortController();
  readonly #undelivered: Undelivered[] = [];

  constructor(home: Home) {
    this.#home = home;
  }

  readonly operations: Record<string, Operation> = {
    PutEvents: operation<PutEventsCommandInput>(
      (input) => this.#putAccess(input),
      (input) => this.#putEvents(input),
    ),
    TestEventPattern: operation<{ EventPattern?: string; Event?: string }>(
      () => [{ action: 'events:TestEventPattern', resources: ['*'] }],
      (input) => {
        const matches = parsePattern(required(input.EventPattern, 'EventPattern'));
        return { Result: matches(completeEvent(required(input.Event, 'Event'))) };
      },
    ),
    ListRules: operation<{ NamePrefix?: string; EventBusName?: string; NextToken?: string; Limit?: number }>(
      () => [{ action: 'events:ListRules', resources: ['*'] }],
      (input) => {
        onDefaultBus(input.EventBusName);
        const rules = [...this.#rules.values()].filter(({ name }) => name.startsWith(input.NamePrefix ?? ''));
        const { items, next } = page(rules.map(described), input.NextToken, input.Limit ?? 100);
        return { Rules: items, NextToken: next };
      },
    ),
    DescribeRule: operation<RuleName>(
      (input) => this.#access('events:DescribeRule', input),
      (input) => ({ ...described(this.#rule(input)), CreatedBy: this.#home.account }),
    ),
    ListTargetsByRule: operation<{ Rule?: string; EventBusName?: string; NextToken?: string; Limit?: number }>(
      (input) => this.#access('events:ListTargetsByRule', { Name: input.Rule, EventBusName: input.EventBusName }),
      (input) => {
        const { targets } = this.#rule({ Name: input.Rule, EventBusName: input.EventBusName });
        const { items, next } = page(targets, input.NextToken, input.Limit ?? 100);
        return { Targets: items, NextToken: next };
      },
    ),
    EnableRule: this.#switch('events:EnableRule', 'ENABLED'),
    DisableRule: this.#switch('events:DisableRule', 'DISABLED'),
  };

  readonly resources = {
    'AWS::Events::Rule': {
      create: (properties: Record<string, unknown>, context: ResourceContext) => this.#createRule(properties, context),
    },
  };

  /** Puts an event that a service of this cloud raises; `Home.emit` calls it. Never throws. */
  put(event: BusEvent): void {
    this.#route({
      version: '0',
      id: randomUUID(),
      'detail-type': event['detail-type'],
      source: event.source,
      account: this.#home.account,
      time: isoSeconds(event.time ?? this.#home.clock.now()),
      region: this.#home.region,
      resources: event.resources,
      detail: event.detail,
    });
  }

  /** Whether a rule may match an event of that source and type, whatever is in it. */
  isAwaited(source: string, detailType: string): boolean {
    const head = { source, 'detail-type': detailType };
    for (const { state, awaits } of this.#rules.values()) if (state === 'ENABLED' && awaits(head)) return true;
    return false;
  }

  /** Every delivery that was given up, oldest first: nothing is lost silently. */
  undelivered(): readonly Undelivered[] {
    return this.#undelivered;
  }

  stop(): void {
    this.#stopping.abort();
  }

  #putAccess(input: PutEventsCommandInput): Access[] {
    return (input.Entries ?? []).map((entry) => ({
      action: 'events:PutEvents',
      resources: [`arn:aws:events:${this.#home.region}:${this.#home.account}:event-bus/${busName(entry.EventBusName)}`],
      conditions: {
        'events:source': entry.Source,
        'events:detail-type': entry.DetailType,
        'events:eventBusInvocation': 'false',
      },
    }));
  }

  #putEvents(input: PutEventsCommandInput) {
    const entries = input.Entries ?? [];
    if (entries.length === 0 || entries.length > 10) {
      throw new AwsError('ValidationException', 'Entries must have between 1 and 10 members.');
    }
    const Entries = entries.map((entry) => {
      onDefaultBus(entry.EventBusName);
      refuseUnknown('an event', entry, ['Time', 'Source', 'Resources', 'DetailType', 'Detail', 'EventBusName']);
      const refusal = entryRefusal(entry);
      if (refusal) return refusal;
      const event: Envelope = {
        version: '0',
        id: randomUUID(),
        'detail-type': entry.DetailType ?? '',
        source: entry.Source ?? '',
        account: this.#home.account,
        time: isoSeconds(entry.Time ? epochMs(entry.Time) : this.#home.clock.now()),
        region: this.#home.region,
        resources: entry.Resources ?? [],
        detail: JSON.parse(entry.Detail ?? ''),
      };
      this.#route(event);
      return { EventId: event.id };
    });
    return { Entries, FailedEntryCount: Entries.filter((entry) => 'ErrorCode' in entry).length };
  }

  #route(event: Envelope): void {
    for (const rule of this.#rules.values()) {
      if (rule.state !== 'ENABLED' || !rule.matches(event)) continue;
      this.#count('MatchedEvents', rule);
      for (const target of rule.targets) void this.#deliver(rule, target, event);
    }
  }

  async #deliver(rule: Rule, target: Target, event: Envelope): Promise<void> {
    const service: Principal = {
      kind: 'service',
      service: SERVICE,
      sourceArn: rule.arn,
      sourceAccount: this.#home.account,
    };
    const input = targetInput(target, event, {
      'aws.events.rule-arn': rule.arn,
      'aws.events.rule-name': rule.name,
      'aws.events.event.ingestion-time': event.time,
    });
    const failure = await deliverWithRetries(this.#home.clock, target.RetryPolicy, this.#stopping.signal, async () => {
      this.#count('Invocations', rule);
      const as = target.RoleArn ? await assumeRole(this.#home, target.RoleArn, SERVICE, rule.arn) : service;
      await callTarget(this.#home, target.Arn, input, as, event.id);
    });
    if (failure) await this.#giveUp(rule, target, event, failure, service);
  }

  async #giveUp(rule: Rule, target: Target, event: Envelope, failure: DeliveryFailure, as: Principal): Promise<void> {
    this.#count('FailedInvocations', rule);
    const deadLettered = await this.#deadLetter(rule, target, event, failure, as);
    this.#undelivered.push({ ...failure, ruleArn: rule.arn, targetArn: target.Arn, event, deadLettered });
  }

  async #deadLetter(
    rule: Rule,
    target: Target,
    event: Envelope,
    failure: DeliveryFailure,
    as: Principal,
  ): Promise<boolean> {
    const queueArn = target.DeadLetterConfig?.Arn;
    if (!queueArn) return false;
    const attributes = { RULE_ARN: rule.arn, TARGET_ARN: target.Arn, ...failureAttributes(failure) };
    try {
      await sendToDeadLetterQueue(this.#home, queueArn, JSON.stringify(event), attributes, as);
      this.#count('InvocationsSentToDlq', rule);
      return true;
    } catch {
      this.#count('InvocationsFailedToBeSentToDlq', rule);
      return false;
    }
  }

  #count(metric: string, rule: Rule): void {
    recordMetric(this.#home, 'AWS/Events', metric, { RuleName: rule.name }, 1);
  }

  #createRule(properties: Record<string, unknown>, context: ResourceContext): ResourceResult {
    refuseUnknown('AWS::Events::Rule', properties, [
      'Name',
      'Description',
      'EventBusName',
      'EventPattern',
      'State',
      'Targets',
      'Tags',
    ]);
    onDefaultBus(properties.EventBusName as string | undefined);
    const name = String(properties.Name ?? physicalName(context));
    const targets = (properties.Targets ?? []) as readonly Target[];
    for (const target of targets) {
      refuseUnknown('an EventBridge target', target, TARGET_MEMBERS);
      checkInput(target);
      callerOf(target.Arn);
      if (parseArn(target.Arn).service === 'states') required(target.RoleArn, `RoleArn for target ${target.Arn}`);
    }
    const pattern = required(properties.EventPattern, 'EventPattern');
    const rule: Rule = {
      name,
      arn: this.#arn(name),
      description: properties.Description as string | undefined,
      pattern: JSON.stringify(pattern),
      matches: compilePattern(pattern),
      awaits: compileHead(pattern),
      targets,
      tags: tagsOf(properties.Tags),
      state: ruleState(properties.State ?? 'ENABLED'),
    };
    this.#rules.set(name, rule);
    return { ref: name, attributes: { Arn: rule.arn } };
  }

  #switch(action: string, state: Rule['state']): Operation {
    return operation<RuleName>(
      (input) => this.#access(action, input),
      (input) => {
        this.#rule(input).state = state;
        return {};
      },
    );
  }

  #access(action: string, { Name }: RuleName): Access[] {
    const name = required(Name, 'Name');
    return [{ action, resources: [this.#arn(name)], conditions: tagConditions(this.#rules.get(name)?.tags) }];
  }

  #rule({ Name, EventBusName }: RuleName): Rule {
    onDefaultBus(EventBusName);
    const rule = this.#rules.get(required(Name, 'Name'));
    if (!rule) throw new AwsError('ResourceNotFoundException', `Rule ${Name} does not exist on EventBus default.`);
    return rule;
  }

  #arn(name: string): string {
    return `arn:aws:events:${this.#home.region}:${this.#home.account}:rule/${name}`;
  }
}

/** A pattern without source and type may match any; alternatives (`$or`) are left to the pattern itself. */
function compileHead(pattern: unknown): Matcher {
  const head = Object.entries(pattern as object).filter(([name]) => name === 'source' || name === 'detail-type');
  return head.length === 0 ? () => true : compilePattern(Object.fromEntries(head));
}

const isoSeconds = (time: number) => `${new Date(time).toISOString().slice(0, 19)}Z`;

const busName = (bus: string | undefined) => bus?.split('/').at(-1) ?? 'default';

function onDefaultBus(bus: string | undefined): void {
  if (busName(bus) !== 'default') throw notImplemented(`event buses besides the default one (${bus})`);
}

function ruleState(state: unknown): Rule['state'] {
  if (state === 'ENABLED' || state === 'DISABLED') return state;
  throw notImplemented(`the rule state ${state}`);
}

function described(rule: Rule) {
  return {
    Name: rule.name,
    Arn: rule.arn,
    Description: rule.description,
    EventPattern: rule.pattern,
    State: rule.state,
    EventBusName: 'default',
  };
}

/** Why PutEvents refuses one entry, as it answers that in the entry's place. */
function entryRefusal(entry: NonNullable<PutEventsCommandInput['Entries']>[number]) {
  const refuse = (ErrorMessage: string, ErrorCode = 'InvalidArgument') => ({ ErrorCode, ErrorMessage });
  for (const member of ['Source', 'DetailType', 'Detail'] as const) {
    if (!entry[member]) return refuse(`Parameter ${member} is not valid. Reason: ${member} is a required argument.`);
  }
  if (/^aws\./.test(entry.Source ?? '')) {
    return refuse('Not authorized for the source.', 'NotAuthorizedForSourceException');
  }
  try {
    if (typeof JSON.parse(entry.Detail ?? '') === 'object') return undefined;
  } catch {
    // refused below, like JSON that is no object
  }
  return refuse('Detail is malformed.', 'MalformedDetail');
}

function completeEvent(text: string): object {
  let event: Record<string, unknown>;
  try {
    event = JSON.parse(text);
  } catch {
    throw new AwsError('ValidationException', 'Parameter Event is not valid. Reason: Event is not valid JSON.');
  }
  for (const field of ['id', 'account', 'source', 'time', 'region', 'resources', 'detail-type']) {
    if (event[field] === undefined)
      throw new AwsError('ValidationException', `Parameter Event is not valid. Reason: ${field} is required.`);
  }
  return event;
}

export const eventbridge: ServiceDefinition = {
  name: 'eventbridge',
  sdk: '@aws-sdk/client-eventbridge',
  create: (home) => new EventBridge(home),
};
