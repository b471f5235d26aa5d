import { describe, expect, it, vi } from 'vitest';
import { realClock } from '../../local/clock.ts';
import { createFaults, type FaultEffect } from '../../local/faults.ts';
import { AwsError, type Call } from '../../local/kernel.ts';

const call: Call = {
  account: '111122223333',
  region: 'us-east-1',
  requestId: 'r',
  principal: { kind: 'operator', arn: 'arn', accessKeyId: 'k' },
};
const throttled: FaultEffect = { kind: 'throw', error: new AwsError('Throttling', 'Rate exceeded') };

describe('an injected fault', () => {
  it.each<{ case: string; effect: FaultEffect; before: string | undefined; after: string | undefined }>([
    { case: 'throws', effect: throttled, before: 'Throttling', after: undefined },
    { case: 'denies', effect: { kind: 'deny' }, before: 'AccessDenied', after: undefined },
    { case: 'loses the answer', effect: { kind: 'lose-answer' }, before: undefined, after: 'ServiceUnavailable' },
    { case: 'delays', effect: { kind: 'delay', ms: 1 }, before: undefined, after: undefined },
  ])('that $case strikes at its moment', async ({ effect, before, after }) => {
    const faults = createFaults(realClock());
    faults.inject({ service: 'rds', operation: 'CreateDBSnapshot', effect });
    const codeOf = (run: Promise<void>) =>
      run.then(
        () => undefined,
        (error: AwsError) => error.code,
      );
    expect(await codeOf(faults.before('rds', 'CreateDBSnapshot', {}, call))).toBe(before);
    expect(await codeOf(faults.after('rds', 'CreateDBSnapshot', {}, call))).toBe(after);
  });

  it('strikes only what its rule describes, and only so often', async () => {
    const faults = createFaults(realClock());
    const where = ({ id }: { id: string }) => id === 'a';
    faults.inject({ service: 'rds', operation: '*', where, times: 1, effect: throttled });
    await faults.before('sns', 'Publish', { id: 'a' }, call);
    await faults.before('rds', 'CreateDBSnapshot', { id: 'b' }, call);
    await expect(faults.before('rds', 'CreateDBSnapshot', { id: 'a' }, call)).rejects.toThrow('Rate exceeded');
    await faults.before('rds', 'CreateDBSnapshot', { id: 'a' }, call);
  });

  it('strikes from when its rule is there, and while any rule names the operation', async () => {
    const faults = createFaults(realClock());
    const snapshot = () => faults.before('rds', 'CreateDBSnapshot', {}, call);
    await snapshot();
    const remove = faults.inject({ service: 'rds', operation: /^Create/, effect: throttled });
    faults.inject({ service: 'rds', operation: 'CreateDBSnapshot', times: 1, effect: throttled });
    await expect(snapshot()).rejects.toThrow('Rate exceeded');
    remove();
    await expect(snapshot()).rejects.toThrow('Rate exceeded');
    await snapshot();
    faults.inject({ service: '*', operation: '*', effect: throttled });
    await expect(snapshot()).rejects.toThrow('Rate exceeded');
    faults.clear();
    await snapshot();
  });

  it('strikes by chance as the given randomness has it', async () => {
    const draws = [0.9, 0.1];
    const faults = createFaults(realClock(), () => draws.shift() ?? 1);
    faults.inject({ service: '*', operation: '*', probability: 0.5, effect: throttled });
    await faults.before('rds', 'CreateDBSnapshot', {}, call);
    await expect(faults.before('rds', 'CreateDBSnapshot', {}, call)).rejects.toThrow('Rate exceeded');
  });

  it('that crashes tells whose call it was, and ends when it is taken away', async () => {
    const faults = createFaults(realClock());
    const crashed = vi.fn();
    faults.onCrash(crashed);
    const remove = faults.inject({ service: 'rds', operation: '*', effect: { kind: 'crash', when: 'after' } });
    await faults.before('rds', 'CreateDBSnapshot', {}, call);
    await expect(faults.after('rds', 'CreateDBSnapshot', {}, call)).rejects.toThrow('died');
    expect(crashed).toHaveBeenCalledExactlyOnceWith(call);
    remove();
    await faults.after('rds', 'CreateDBSnapshot', {}, call);
  });
});
