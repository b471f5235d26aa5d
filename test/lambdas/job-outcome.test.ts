import { describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../core/incident/errors.ts';
import { outcomeOf } from '../../lambdas/job-outcome.ts';

const named = (name: string, message: string) => Object.assign(new Error(message), { name });
/** Fails as often as there are errors, then succeeds. */
function job(...errors: unknown[]) {
  const pauses: number[] = [];
  const pending = [...errors];
  const outcome = outcomeOf(
    async (input) => {
      if (pending.length > 0) throw pending.shift();
      return { got: input };
    },
    { incident: 'i' },
    async (ms) => void pauses.push(ms),
  );
  return outcome.then((result) => ({ result, pauses }));
}
const unavailable = () => named(ServiceUnavailable.definition.name, 'throttled');

describe('a job', () => {
  it('has the output of its step', async () => {
    expect(await job()).toEqual({ result: { output: { got: { incident: 'i' } } }, pauses: [] });
  });
  it('has null where the step returns nothing, which JSON can say', async () => {
    expect(
      await outcomeOf(
        async () => undefined,
        {},
        async () => {},
      ),
    ).toEqual({ output: null });
  });
  it('fails with the name and the message of the step’s error, and is not tried again', async () => {
    expect(await job(named('DumpUnusable', 'cut short\nNext: another'))).toEqual({
      result: { failure: { Error: 'DumpUnusable', Cause: 'cut short\nNext: another' } },
      pauses: [],
    });
  });
  it('is tried again at what fails for now, as a state tries its task again', async () => {
    const { result, pauses } = await job(unavailable(), unavailable());
    expect(result).toHaveProperty('output');
    expect(pauses).toEqual([10_000, 10_000]);
  });
  it('gives up at what fails for now for too long', async () => {
    const { result, pauses } = await job(...Array.from({ length: 6 }, unavailable));
    expect(result).toEqual({ failure: { Error: 'ServiceUnavailable', Cause: 'throttled' } });
    expect(pauses).toHaveLength(5);
  });
  it.each([
    { case: 'no error', thrown: 'text', told: { Error: 'Error', Cause: 'text' } },
    {
      case: 'a very long message',
      thrown: new Error('x'.repeat(9000)),
      told: { Error: 'Error', Cause: 'x'.repeat(4000) },
    },
  ])('tells $case within the bounds of a variable', async ({ thrown, told }) => {
    expect((await job(thrown)).result).toEqual({ failure: told });
  });
});
