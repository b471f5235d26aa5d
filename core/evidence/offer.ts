/** How to go on after a failure: what to restore to instead, as the assessment had listed it; and a move that is half done. */

import * as z from 'zod';
import { dr } from '../commands.ts';
import { OtherPoint } from '../database/contracts.ts';
import { DumpUnusable, RestoreFailed, RestorePointUnavailable, RestorePointUnknown } from '../database/errors.ts';
import type { Incident, StepRecord } from '../incident/contracts.ts';
import { asOption } from '../incident/moments.ts';
import { ValidationFailed, ValidationUnknown } from '../validation/errors.ts';

/** Another restore point may not meet these again. */
const ofThePoint = [
  DumpUnusable,
  RestoreFailed,
  RestorePointUnavailable,
  RestorePointUnknown,
  ValidationFailed,
  ValidationUnknown,
].map(({ definition }) => definition.name);

/** Empty where another restore point changes nothing, or none is known. */
export function offer(
  error: string,
  { id, mode, environment }: Pick<Incident, 'id' | 'mode' | 'environment'>,
  timeline: readonly StepRecord[],
): string {
  if (mode !== 'recovery' || !ofThePoint.includes(error)) return '';
  const known = timeline.flatMap(({ facts }) => {
    const parsed = z.array(OtherPoint).safeParse(facts.others);
    return parsed.success ? [parsed.data] : [];
  });
  const points = known.at(-1) ?? [];
  if (points.length === 0) return '';
  const listed = points.map(({ restoreTo, at, what }) => `--restore-to ${asOption(restoreTo)} (${what}, ${at})`);
  return `Another restore point: ${dr(`retry ${id}`, environment)} ${listed.join(', or ')}.`;
}

/** Every server and resolver leads clients to the Region that production was moved to. */
export const hasTrafficMoved = (timeline: readonly StepRecord[]): boolean =>
  timeline.some(({ step, status }) => step === 'AwaitTraffic' && status === 'succeeded');

/** A move of production that failed behind its cut-over: the record says one Region, and traffic may lead to the other. */
export function wayOn(
  { id, scenario, mode, environment }: Pick<Incident, 'id' | 'scenario' | 'mode' | 'environment'>,
  timeline: readonly StepRecord[],
): string {
  // A retry that failed on its way says in its plan that it took up one.
  const isBehind = timeline.some(({ step, facts }) => step === 'CutOver' || facts.resume !== undefined);
  if (scenario !== 'region' || mode !== 'recovery' || hasTrafficMoved(timeline) || !isBehind) return '';
  return `Production may have moved without its traffic: ${dr(`retry ${id}`, environment)} goes on from there.`;
}
