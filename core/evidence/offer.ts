/** What to restore to instead, where the restore point was to blame: as the assessment had listed it. */

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
