/** Rule expressions of composite alarms: ALARM(), OK(), INSUFFICIENT_DATA(), TRUE, FALSE, AND, OR, NOT, parentheses. */
import { AwsError } from '../../kernel.ts';
import type { AlarmState } from './evaluation.ts';

export interface Rule {
  /** The names or ARNs of the alarms that the rule names. */
  readonly alarms: readonly string[];
  holds(stateOf: (alarm: string) => AlarmState): boolean;
}

type Node = (stateOf: (alarm: string) => AlarmState) => boolean;

/** Reads an AlarmRule. Throws ValidationError naming what it cannot read. */
export function parseRule(text: string): Rule {
  const tokens = text.match(/"[^"]*"|[()]|[^\s()"]+/g) ?? [];
  const alarms: string[] = [];
  const invalid = (reason: string) => new AwsError('ValidationError', `AlarmRule is invalid: ${reason}.`);
  const expect = (token: string) => {
    const found = tokens.shift();
    if (found !== token) throw invalid(`expected ${token}, found ${found ?? 'the end'}`);
  };

  const disjunction = (): Node => {
    let left = conjunction();
    while (tokens[0] === 'OR') {
      tokens.shift();
      const [first, second] = [left, conjunction()];
      left = (stateOf) => first(stateOf) || second(stateOf);
    }
    return left;
  };
  const conjunction = (): Node => {
    let left = term();
    while (tokens[0] === 'AND') {
      tokens.shift();
      const [first, second] = [left, term()];
      left = (stateOf) => first(stateOf) && second(stateOf);
    }
    return left;
  };
  const term = (): Node => {
    const token = tokens.shift();
    if (token === 'NOT') {
      const negated = term();
      return (stateOf) => !negated(stateOf);
    }
    if (token === 'TRUE') return () => true;
    if (token === 'FALSE') return () => false;
    if (token === '(') {
      const inner = disjunction();
      expect(')');
      return inner;
    }
    if (token === 'ALARM' || token === 'OK' || token === 'INSUFFICIENT_DATA') return stateTest(token);
    throw invalid(`unexpected ${token ?? 'end'}`);
  };
  const stateTest = (state: AlarmState): Node => {
    expect('(');
    const words: string[] = [];
    while (tokens.length > 0 && tokens[0] !== ')') words.push(tokens.shift() ?? '');
    expect(')');
    const alarm = words.join(' ').replace(/^"|"$/g, '');
    if (!alarm) throw invalid(`${state}() names no alarm`);
    alarms.push(alarm);
    return (stateOf) => stateOf(alarm) === state;
  };

  const holds = disjunction();
  if (tokens.length > 0) throw invalid(`unexpected ${tokens[0]}`);
  return { alarms, holds };
}
