/** JudgeGate and JudgeDeep: what the pieces of one round mean together. Unknown never passes. */
import type { Incident } from '../incident/contracts.ts';
import type { StepResult } from '../step.ts';
import type { Piece, PieceResult, Tier, Verdict } from './contracts.ts';
import { ValidationFailed, ValidationUnknown } from './errors.ts';

/** How often the machine runs what was left over. */
export const maximumRounds = 6;

export interface Judgement {
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  /** What to run in the next round; the verdict is not final while there is any. */
  readonly again: readonly Piece[];
}

/** Name of the check that a piece is a part of: pieces are numbered, and halves of halves of them are, too. */
export const checkOf = (piece: string): string => piece.replace(/-\d+(\.\d+)*$/, '');

/**
 * What a named person waived is left out (a waiver names checks, and every other one binds). 1. Damage is damage, whatever is still open. 2. A check without an answer and without anything left to run will never
 * have one. 3. What is left over runs again, while there are rounds. 4. Nothing that ran at all is no pass either.
 */
export function judge(all: readonly PieceResult[], round: number, waived: readonly string[] = []): Judgement {
  const results = all.filter(({ id }) => !waived.includes(checkOf(id)));
  const say = (those: readonly PieceResult[]) => those.map((result) => `${result.id}: ${result.reason}`);
  const failed = results.filter((result) => result.verdict === 'failed');
  if (failed.length > 0) return { verdict: 'failed', reasons: say(failed), again: [] };
  const unanswered = results.filter((result) => result.verdict === 'unknown' && result.remaining.length === 0);
  if (unanswered.length > 0) return { verdict: 'unknown', reasons: say(unanswered), again: [] };
  const again = results.flatMap((result) => result.remaining);
  if (again.length > 0) {
    const left = say(results.filter((result) => result.remaining.length > 0));
    return { verdict: 'unknown', reasons: left, again: round < maximumRounds ? again : [] };
  }
  if (all.length === 0) return { verdict: 'unknown', reasons: ['no check ran'], again: [] };
  return { verdict: 'passed', reasons: [], again: [] };
}

interface JudgeInput {
  readonly incident: Incident;
  readonly tier: Tier;
  /** 1-based. */
  readonly round: number;
  readonly results: readonly PieceResult[];
}

/** Throws ValidationFailed or ValidationUnknown where the verdict is final and not `passed`. */
export async function judgeValidation({
  incident: { waiver },
  tier,
  round,
  results,
}: JudgeInput): Promise<StepResult<{ verdict: Verdict; again: Piece[] }>> {
  const { verdict, reasons, again } = judge(results, round, waiver?.checks);
  const waived = results
    .filter((result) => result.verdict !== 'passed' && waiver?.checks.includes(checkOf(result.id)))
    .map((result) => `${result.id} ${result.verdict}: ${result.reason}`);
  const details = { tier, round, reasons, ...(waived.length > 0 ? { waived, waiver } : {}) };
  if (again.length > 0)
    return {
      output: { verdict, again: [...again] },
      summary: `${tier}: ${again.length} pieces run again`,
      facts: details,
    };
  if (verdict === 'failed') throw ValidationFailed(`The ${tier} failed: ${reasons.join('; ')}.`, { details });
  if (verdict === 'unknown') throw ValidationUnknown(`The ${tier} has no verdict: ${reasons.join('; ')}.`, { details });
  const pieces = results.length;
  const summary =
    waived.length === 0
      ? `${tier} passed: ${pieces} pieces`
      : `${tier} passed ${pieces - waived.length} of ${pieces} pieces; ${waiver?.by} waived the rest (${waiver?.reason}): ${waived.join('; ')}`;
  return { output: { verdict, again: [] }, summary, facts: { ...details, pieces } };
}
