import { describe, expect, it } from 'vitest';
import { answers, questionLines } from '../../cli/question.ts';
import type { Approval } from '../../core/incident/contracts.ts';

const now = Date.parse('2026-11-28T12:00:00Z');
const plan: Approval['plan'] = {
  source: 'production-1',
  candidate: 'production-2',
  damage: [],
  restorePoint: '2026-11-28T11:59:00Z',
  window: { earliest: '2026-11-21T12:00:00Z', latest: '2026-11-28T11:59:30Z' },
  estimatedLossSeconds: 60,
};
const ask = (change: Partial<Approval['plan']>, expiresAt = '2026-11-28T12:15:00Z') =>
  questionLines({ plan: { ...plan, ...change }, expiresAt }, now);

describe('a question to a person', () => {
  it('of a restore tells the damage, the restore point, the loss, and what approval does', () => {
    expect(ask({ damage: ['stocker.product: it is gone'] })).toEqual([
      'Damaged: stocker.product: it is gone',
      'Restore production-1 as of 2026-11-28T11:59:00Z: about 1 min of writes are lost.',
      'On approval production-1 is fenced; until then nothing is changed.',
      'Without an answer it is declined at 2026-11-28 12:15:00 UTC, in 15 min.',
    ]);
  });
  it('whose damage nothing bounds lets a person choose within the window', () => {
    const { restorePoint: _, ...unbounded } = plan;
    const lines = questionLines({ plan: unbounded, expiresAt: '2026-11-28T12:15:00Z' }, now);
    expect(lines[1]).toContain('you choose the restore point, from 2026-11-21T12:00:00Z until before');
    expect(answers({ incidentId: 'i', plan: unbounded })[0]).toContain('--restore-to POINT');
  });
  it('of tables promises that everything else goes on, and fences nothing', () => {
    const lines = ask({ tables: ['stocker.product', 'stocker.stock'] }).join(' ');
    expect(lines).toContain('Repair stocker.product, stocker.stock in production-1 as it is');
    expect(lines).toContain('Everything else goes on');
    expect(lines).not.toContain('fenced');
  });
  it('of a lost Region tells where production goes, and what cannot be taken back', () => {
    const lines = ask({ failover: { style: 'ungraceful', from: 'us-east-1', to: 'us-west-2' } });
    expect(lines[0]).toBe(
      'Move production from us-east-1 to us-west-2: production-2 takes over from production-1: about 1 min of writes are lost, which production-2 has not received.',
    );
    expect(lines[1]).toContain('cannot be taken back');
  });
  it('of a switchover promises that nothing is lost', () => {
    expect(ask({ failover: { style: 'graceful', from: 'us-east-1', to: 'us-west-2' } })[0]).toMatch(
      /nothing is lost\.$/,
    );
  });
  it('that nobody answered is being declined', () => {
    expect(ask({}, '2026-11-28T11:59:59Z').at(-1)).toMatch(/^Nobody answered by/);
  });
});
