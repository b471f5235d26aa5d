/** Faults that tests and drills inject into a cloud: an API throttles, delays, denies, loses its answer, or its caller dies. */
import { denialCode } from './authorization/authorize.ts';
import { AwsError, type BusEvent, type Call, type Clock, type Faults, type ServiceName } from './kernel.ts';

export type FaultEffect =
  /** The operation fails with this error and does nothing. */
  | { readonly kind: 'throw'; readonly error: AwsError }
  /** The operation runs this many real milliseconds later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The operation takes effect, but its caller is told that it failed: what a cut connection looks like. */
  | { readonly kind: 'lose-answer' }
  /** The operation waits for this: what must be seen before it takes effect. */
  // biome-ignore lint/suspicious/noExplicitAny: inputs of every operation pass here
  | { readonly kind: 'hold'; readonly until: (input: any, call: Call) => Promise<void> }
  | { readonly kind: 'deny' }
  /** The operation is not run; its caller gets this answer. */
  | { readonly kind: 'answer'; readonly output: object }
  /** The function that makes the call dies, before the operation takes effect or after. */
  | { readonly kind: 'crash'; readonly when: 'before' | 'after' };

export interface FaultRule {
  /** `'*'`: any. */
  readonly service: ServiceName | '*';
  /** `'*'`: any; or those whose names match. */
  readonly operation: string | RegExp;
  // biome-ignore lint/suspicious/noExplicitAny: inputs of every operation pass here
  readonly where?: (input: any, call: Call) => boolean;
  /** How often it strikes; without, always. */
  readonly times?: number;
  /** Between 0 and 1, drawn anew for each matching call; without, 1. */
  readonly probability?: number;
  readonly effect: FaultEffect;
}

/** What becomes of an event on its way to the bus: when it arrives, in milliseconds of the clock; twice, late, or never. */
export interface EventRule {
  readonly where: (event: BusEvent, region: string) => boolean;
  /** How often it strikes; without, always. */
  readonly times?: number;
  readonly arrivals: readonly number[];
}

export interface InjectedFaults extends Faults {
  /** Adds a rule about events and returns what takes it away. */
  injectEvents(rule: EventRule): () => void;
  /** When an event arrives: once, at once, unless a rule says otherwise. */
  arrivalsOf(event: BusEvent, region: string): readonly number[];
  /** Adds a rule and returns what takes it away. */
  inject(rule: FaultRule): () => void;
  clear(): void;
  /** Tells what makes functions run that the caller of this call must die now. */
  onCrash(listener: (call: Call) => void): void;
}

/** `random` yields numbers in [0, 1): a seeded one makes a run repeatable. */
export function createFaults(clock: Clock, random: () => number = Math.random): InjectedFaults {
  const rules = new Map<FaultRule, number>();
  const named = new Map<string, boolean>();
  const drop = (rule: FaultRule) => {
    named.clear();
    return rules.delete(rule);
  };
  const eventRules = new Map<EventRule, number>();
  const crashListeners: ((call: Call) => void)[] = [];

  async function strike(
    moment: 'before' | 'after',
    service: ServiceName,
    operation: string,
    input: object,
    call: Call,
  ): Promise<undefined> {
    for (const [rule, left] of rules) {
      if (momentOf(rule.effect) !== moment || !matches(rule, service, operation, input, call)) continue;
      if (rule.probability !== undefined && random() >= rule.probability) continue;
      if (left <= 1) drop(rule);
      else rules.set(rule, left - 1);
      await apply(rule.effect, `${service}:${operation}`, input, call);
    }
    return undefined;
  }

  /** Whether a rule is about that operation at that moment; asked of every call, and found out once while the rules are the same. */
  function isNamed(moment: 'before' | 'after', service: ServiceName, operation: string): boolean {
    if (rules.size === 0) return false;
    const about = `${moment} ${service} ${operation}`;
    let found = named.get(about);
    if (found === undefined) {
      found = [...rules.keys()].some((rule) => momentOf(rule.effect) === moment && names(rule, service, operation));
      named.set(about, found);
    }
    return found;
  }

  async function apply(effect: FaultEffect, name: string, input: object, call: Call): Promise<void> {
    switch (effect.kind) {
      case 'throw':
        throw effect.error;
      case 'delay':
        return clock.limit(effect.ms);
      case 'hold':
        return effect.until(input, call);
      case 'deny':
        throw new AwsError(denialCode(name), `injected fault: ${name} is denied`);
      case 'answer':
        throw new InjectedAnswer(effect.output);
      case 'lose-answer':
        throw new AwsError('ServiceUnavailable', `injected fault: the answer of ${name} was lost`);
      case 'crash':
        for (const listener of crashListeners) listener(call);
        throw new AwsError('ServiceUnavailable', `injected fault: the caller of ${name} died`);
    }
  }

  return {
    // Most calls are about no rule.
    before: (service, operation, input, call) =>
      isNamed('before', service, operation) ? strike('before', service, operation, input, call) : nothing,
    after: (service, operation, input, call) =>
      isNamed('after', service, operation) ? strike('after', service, operation, input, call) : nothing,
    inject(rule) {
      named.clear();
      rules.set(rule, rule.times ?? Number.POSITIVE_INFINITY);
      return () => drop(rule);
    },
    injectEvents(rule) {
      eventRules.set(rule, rule.times ?? Number.POSITIVE_INFINITY);
      return () => eventRules.delete(rule);
    },
    arrivalsOf(event, region) {
      for (const [rule, left] of eventRules) {
        if (!rule.where(event, region)) continue;
        if (left <= 1) eventRules.delete(rule);
        else eventRules.set(rule, left - 1);
        return rule.arrivals;
      }
      return atOnce;
    },
    clear() {
      rules.clear();
      named.clear();
      eventRules.clear();
    },
    onCrash: (listener) => crashListeners.push(listener),
  };
}

const atOnce = [0];
const nothing: Promise<undefined> = Promise.resolve(undefined);

/** Not an error: how a rule ends a call in the place of the operation. */
export class InjectedAnswer {
  readonly output: object;
  constructor(output: object) {
    this.output = output;
  }
}

function momentOf(effect: FaultEffect): 'before' | 'after' {
  if (effect.kind === 'crash') return effect.when;
  return effect.kind === 'lose-answer' ? 'after' : 'before';
}

function matches(rule: FaultRule, service: ServiceName, operation: string, input: object, call: Call): boolean {
  return names(rule, service, operation) && (rule.where?.(input, call) ?? true);
}

function names(rule: FaultRule, service: ServiceName, operation: string): boolean {
  if (rule.service !== '*' && rule.service !== service) return false;
  if (typeof rule.operation === 'string') return rule.operation === '*' || rule.operation === operation;
  return rule.operation.test(operation);
}
