import { describe, expect, it } from 'vitest';
import { Looked, sources } from '../../core/readiness/facts.ts';
import type { Json, JsonObject } from '../../local/states/json.ts';
import { contextOf, healthy } from '../core/readiness/facts.ts';
import { definitionOf, fail, play, retriersOf, type Script, tasksIn } from './machines.ts';

const machine = 'readiness';
const tasks = tasksIn(definitionOf(machine));
const run = JSON.parse(JSON.stringify(contextOf('production').run)) as JsonObject;
const stateOf = (source: string) => `LookAt${source.charAt(0).toUpperCase()}${source.slice(1)}`;
const looks = Object.keys(sources).map((source) => ({ source, state: stateOf(source) }));

const well: Script = {
  AcceptReadiness: () => ({ run }),
  ...Object.fromEntries(
    Object.entries(healthy('production')).map(([source, facts]) => [
      stateOf(source),
      (): Json => ({ source, facts: facts as Json }),
    ]),
  ),
  ReportReadiness: () => ({ verdict: 'ready', scenarios: [], summary: 'all is ready' }),
};
const go = (script: Script = {}, input: Json = {}) => play(machine, { ...well, ...script }, input);
const lookedAt = ({ payloadsOf }: Awaited<ReturnType<typeof play>>) =>
  payloadsOf('ReportReadiness').flatMap(({ looked }) => looked as JsonObject[]);

describe('a run', () => {
  it('looks at every source once, and judges once, with all of it', async () => {
    const played = await go();
    expect(played.status).toBe('SUCCEEDED');
    expect(played.states.toSorted()).toEqual(
      ['AcceptReadiness', ...looks.map(({ state }) => state), 'ReportReadiness'].toSorted(),
    );
    expect(lookedAt(played).map((each) => Looked.parse(each))).toEqual(lookedAt(played));
    expect(
      lookedAt(played)
        .map(({ source }) => source)
        .toSorted(),
    ).toEqual(Object.keys(sources).toSorted());
    expect(played.result).toMatchObject({ verdict: 'ready' });
  });
  it('hands its request on as it is', async () => {
    const { payloadsOf } = await go({}, { permissions: 'now' });
    expect(payloadsOf('AcceptReadiness')[0]?.request).toEqual({ permissions: 'now' });
  });
});

describe('a look that fails', () => {
  it.each(looks)('at $source is told with its reason, and the run succeeds with all the others', async (look) => {
    const played = await go({ [look.state]: () => fail('Boom') });
    expect(played.status).toBe('SUCCEEDED');
    const looked = lookedAt(played).map((each) => Looked.parse(each));
    expect(looked).toHaveLength(looks.length);
    expect(looked.filter((each) => 'failure' in each)).toEqual([
      { source: look.source, failure: { Error: 'Boom', Cause: 'why Boom' } },
    ]);
  });
  it('does not keep the others from looking: all may fail, and it is judged', async () => {
    const played = await go(Object.fromEntries(looks.map(({ state }) => [state, () => fail('Boom')])));
    expect(played.status).toBe('SUCCEEDED');
    expect(lookedAt(played).filter((each) => 'failure' in each)).toHaveLength(looks.length);
  });
  it('is tried again where it failed for now', async () => {
    const played = await go({
      LookAtKeys: (payload, call) =>
        call === 1 ? fail('ServiceUnavailable') : (well.LookAtKeys?.(payload, call) ?? {}),
    });
    expect(lookedAt(played).filter((each) => 'failure' in each)).toEqual([]);
  });
});

describe('where there is nothing to judge', () => {
  it('it rests in the Region of production', async () => {
    const played = await go({ AcceptReadiness: () => ({ skipped: 'the other one looks' }) });
    expect(played).toMatchObject({ status: 'SUCCEEDED', states: ['AcceptReadiness'] });
    expect(played.result).toEqual({ skipped: 'the other one looks' });
  });
  it('it does not begin where it is refused', async () => {
    const played = await go({ AcceptReadiness: () => fail('ActiveDatabaseUnknown') });
    expect(played).toMatchObject({ status: 'FAILED', error: 'ActiveDatabaseUnknown', states: ['AcceptReadiness'] });
  });
  it('it fails where the report does, and the alarm of silence rings', async () => {
    expect(await go({ ReportReadiness: () => fail('Boom') })).toMatchObject({ status: 'FAILED', error: 'Boom' });
  });
});

it('ends before the next one is due, however patient it has to be', () => {
  const patience = (name: string) => {
    const task = tasks.find((each) => each.name === name);
    if (!task) throw new Error(`there is no ${name}`);
    const tries = 1 + retriersOf(task).reduce((sum, { MaxAttempts = 3 }) => sum + MaxAttempts, 0);
    return tries * Number(task.state.TimeoutSeconds);
  };
  const longest = Math.max(...looks.map(({ state }) => patience(state)));
  expect(longest).toBeLessThan(definitionOf(machine).TimeoutSeconds ?? 0);
  expect(definitionOf(machine).TimeoutSeconds).toBeLessThanOrEqual(30 * 60);
});
